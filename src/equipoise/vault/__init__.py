"""The second door: what could reveal an arm. Its own process, its own folder; no room of the first door imports it."""
