"""Specimens: tubes and their numbers, aliquots, shipments, and the results that a laboratory reports."""
