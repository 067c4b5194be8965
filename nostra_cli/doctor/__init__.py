"""What is wrong with the settings, the way to the service, or the service itself."""
