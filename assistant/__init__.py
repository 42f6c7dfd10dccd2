"""Knowledge Assistant: answers from a person's own documents, with sources."""
