"""Indexes of documents: reading, chunking, encoding, searching. Usable without the assistant."""
