"""Output for a person or a script: streams, tables, JSON, progress, messages."""
