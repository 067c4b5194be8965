"""Whether a body is complete, by its format."""
