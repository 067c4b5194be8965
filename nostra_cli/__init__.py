"""nostra: the command-line tool for the Nostradamus invocation API."""

__version__ = "0.2.0"

DOCS_URL = "https://github.com/u-hopper/nostra-cli/blob/main/docs"
"""Where the pages of `docs/` can be read; help and the man page link to them."""
