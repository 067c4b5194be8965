"""Checks of the settings, the environment, the connection and the service."""
