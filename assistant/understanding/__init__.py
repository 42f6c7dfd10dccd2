"""Understanding a message in its conversation: what is asked, standing alone."""
