"""A local stand-in for the service: start it with :func:`nostra_cli.sandbox.server.serving`.

It shares no parser and no model with the client, so that the two cannot share a mistake.
"""
