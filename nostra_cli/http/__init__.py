"""The thin HTTP layer: the only room that imports httpx."""
