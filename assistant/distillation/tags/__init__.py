"""Which words of a conversation belong to its last message: layout, measures, the loaded model."""
