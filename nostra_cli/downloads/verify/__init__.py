"""Verify that a body is complete, by its format."""
