"""From passages to mentions and facts, by rules or by a model, with the same output."""
