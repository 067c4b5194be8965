"""The Nostradamus API: its endpoints, its errors, waiting."""
