"""Download one body to one target: complete, or not there."""
