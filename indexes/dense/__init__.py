"""Dense search: FAISS over unit vectors."""
