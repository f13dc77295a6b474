"""Ordinal regression: cumulative logits with common odds ratios, all or some of them."""
