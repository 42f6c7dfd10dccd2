"""From passages to a cited answer: evidence, readers, the check of every sentence."""
