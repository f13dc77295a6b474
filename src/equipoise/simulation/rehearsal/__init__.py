"""One whole trial with virtual people, through the real desk and the real second door, under a clock that is set."""
