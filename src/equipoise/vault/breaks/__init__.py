"""Opening one code: one participant's arm for one person, behind the second door only."""
