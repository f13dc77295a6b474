"""What passes between the two doors, and nothing else."""
