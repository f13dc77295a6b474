"""Values that were not seen: what they would have been under stated rules, and what that does to an estimate."""
