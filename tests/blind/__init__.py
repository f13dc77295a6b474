"""The proof of the blind: the same trial played twice, in worlds that differ in nothing but the secret."""
