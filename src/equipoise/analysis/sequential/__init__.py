"""Looks before the end: how alpha is spent, where one stops, and what the end will probably say."""
