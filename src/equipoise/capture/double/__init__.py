"""Double entry: a form typed by two persons from one paper source, and a third who settles where they differ."""
