"""Many trials at once on arrays of JAX, which is imported here and nowhere else."""
