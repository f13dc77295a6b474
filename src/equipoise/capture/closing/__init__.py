"""Closing: verification, signatures, freeze and lock, of forms, visits, participants and the database."""
