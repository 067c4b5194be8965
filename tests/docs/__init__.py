"""The README and the pages of docs/: every command, output and link."""
