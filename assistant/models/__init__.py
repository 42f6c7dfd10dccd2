"""Weights and runtimes: the catalogue, fetching, and what loads them."""
