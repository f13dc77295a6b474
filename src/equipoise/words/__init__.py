"""The smallest shared nouns: text, truth, intervals, partial dates, units, codelists, canonical bytes, Problem.

Every other room may import this one; this one imports none of them.
"""
