"""Preview a result: its first rows, and statistics of all rows."""
