"""Cross-encoders: query and passage read together, one number for how well they fit."""
