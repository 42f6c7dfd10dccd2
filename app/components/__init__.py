"""Parts that pages are made of; each takes plain data."""
