"""Oversight: the store's birth, study versions in force, sites and their approvals, pausing of enrolment."""
