"""Credentials and logins: who may enter. What they may do is in the ledger of the door alone."""
