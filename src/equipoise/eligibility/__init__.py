"""Screening: a person becomes a subject, the criteria are judged, and a verdict stands with its reasons."""
