"""One body to one file: whole, or not there."""
