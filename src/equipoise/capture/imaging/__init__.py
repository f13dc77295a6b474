"""Imaging: ordered, performed, checked by its headers, read blinded by two, decided by a third where they differ."""
