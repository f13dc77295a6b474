"""What should happen: the study model, its YAML notation, the expression language, digest, differences, windows."""
