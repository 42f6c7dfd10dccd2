"""The knowledge store: questions with answers and statements that a teacher wrote for passages."""
