"""The person's own questions as tests: kept with what is expected, asked again, compared."""
