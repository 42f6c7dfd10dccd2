"""The knowledge graph of thoughts: facts with evidence, grown until a question can be answered."""
