"""A look at a result: its first rows, and statistics of the whole."""
