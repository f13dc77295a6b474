"""What a definition has to keep to beyond its notation, one module for each kind of rule."""
