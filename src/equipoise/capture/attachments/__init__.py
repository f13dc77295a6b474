"""Scans of paper sources attached to forms: what is taken, what stands, what was taken back."""
