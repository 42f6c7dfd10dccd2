"""Distilling a small model from a large one: recipes, their parts, and the loop that runs them."""
