"""What the assistant remembers: conversations, later also facts about the person."""
