"""Finding the words that answer, in a passage: inputs, decoding and the model; no training here."""
