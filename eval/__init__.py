"""Evaluation: collections with judgements, measures, runs. Reads the same event stream as people."""
