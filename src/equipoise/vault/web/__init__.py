"""The pages of the second door: their own Django program, in the second door's own process."""
