"""Times to an event: Kaplan and Meier, the log-rank test, Cox's model."""
