"""Checking, mending, upgrading and following an index."""
