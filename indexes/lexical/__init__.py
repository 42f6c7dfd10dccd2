"""Lexical search: words, identifiers, phrases; BM25."""
