"""Credentials and logins: who may enter. What they may do is in the ledger alone."""
