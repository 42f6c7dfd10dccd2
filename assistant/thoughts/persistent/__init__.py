"""The graph of an index, kept in a file beside it: what its documents say, and what a person did."""
