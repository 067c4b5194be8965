"""Settings: one table, the config file, credentials."""
