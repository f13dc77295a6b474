"""Randomization: methods pure in the draw, the sealed list as the first door knows it, and taking the next slot."""
