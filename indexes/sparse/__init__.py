"""Learned sparse search: an inverted index over an encoder's vocabulary."""
