"""What did happen: every kind of entry, the chain that holds them, the store, and the verifier that trusts nothing."""
