"""The final release and closed work: the two other openings, behind the second door only."""
