"""The graph of an index, in a file: what its documents say, and what a person did to it."""
