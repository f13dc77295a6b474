"""The diary's page for phones: its files, and the two addresses to which phones speak."""
