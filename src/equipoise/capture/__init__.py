"""Capture: items, edit checks, derivations, reasons for change, queries."""
