"""What a server sends behind the end of an answer: never the beginning of the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

# httpcore keeps what it has read too much, takes it for the next answer of that connection, and
# tells nobody: there is no documented way to what it keeps.
_WAY = ("_stream", "_httpcore_stream", "_stream", "_connection", "_h11_state", "trailing_data")


def drop_leftovers(response: httpx.Response) -> None:
    """Close the connection of a finished response if more came over it than that."""
    found: object = response.stream
    for name in _WAY:
        found = getattr(found, name, None)
    if isinstance(found, tuple) and found[0]:
        response.extensions["network_stream"].close()
