"""Capacity and informed consent, by the participant or a legal representative."""
