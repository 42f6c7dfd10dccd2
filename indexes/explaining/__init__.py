"""Why a search found what it found, and why it did not find something."""
