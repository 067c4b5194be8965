"""The thin HTTP layer: httpx goes in and does not come out."""
