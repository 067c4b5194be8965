"""nostra: the command-line tool for the Nostradamus invocation API."""

__version__ = "0.1.0"
