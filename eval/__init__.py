"""Evaluation: collections with judgements, measures, runs."""
