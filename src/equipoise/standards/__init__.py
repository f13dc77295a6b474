"""Formats of the field, each read and written in one place: registry records, SDTM, Dataset-JSON."""
