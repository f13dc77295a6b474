"""The pharmacy bench: preparing one dose in a masked bag, step by step, the same for every product."""
