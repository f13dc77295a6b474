"""The public page of the study: what anyone may read without signing in."""
