"""Equipoise: one definition of a randomized, blinded trial, and the program that runs the whole of it."""
