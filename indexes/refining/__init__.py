"""What happens to a fused list before it is read: reranking, folding, diversity."""
