"""The cell product and what it is matched with: lots, shipments, units, recall. Behind the second door only."""
