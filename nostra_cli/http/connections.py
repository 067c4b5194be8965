"""Connections, each for one request at a time, and none that begins with the rest of another."""

from __future__ import annotations

import contextlib
import socket
import ssl
import weakref
from collections.abc import Mapping
from typing import Any

import httpx

from nostra_cli.errors import UsageProblem

# httpcore keeps what it has read too much, takes it for the next answer of that connection, and
# tells nobody: there is no documented way to what it keeps.
_WAY = ("_stream", "_httpcore_stream", "_stream", "_connection", "_h11_state", "trailing_data")


class Lane:
    """A client that one request at a time uses, so that all its connections are that request's.

    With one client for all threads nobody could tell which connection a request was given.
    """

    def __init__(self, client: httpx.Client) -> None:
        """Send through `client`."""
        self.client = client
        # Made anew for each connection: another thread may be going through it.
        self._sockets: tuple[weakref.ref[socket.socket], ...] = ()
        self.fresh = False

    def watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Be told by httpx of each connection it makes."""
        self.fresh = self.fresh or event == "connection.connect_tcp.started"
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            made = weakref.ref(info["return_value"].get_extra_info("socket"))
            self._sockets = (*(known for known in self._sockets if known() is not None), made)

    def cut_off(self) -> None:
        """Make whoever reads from it go on at once, with an error."""
        for known in self._sockets:
            if (connection := known()) is not None:
                with contextlib.suppress(OSError):
                    # Not SSLSocket's own method: another thread is still reading from it.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)


def client(tls: ssl.SSLContext, headers: Mapping[str, str]) -> httpx.Client:
    """Make the client of a lane; raises UsageProblem for a proxy that is none."""
    try:
        # What is not encrypted is for this machine only: no proxy is to see the token.
        return httpx.Client(verify=tls, headers=headers, mounts={"http://": None})
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise UsageProblem(
            "the proxy of the environment cannot be used",
            "mend HTTPS_PROXY, HTTP_PROXY, ALL_PROXY; one looks like http://proxy.example:8080",
        ) from error


def drop_leftovers(response: httpx.Response) -> None:
    """Close the connection of a finished response if more came over it than that."""
    found: object = response.stream
    for name in _WAY:
        found = getattr(found, name, None)
    if isinstance(found, tuple) and found[0]:
        response.extensions["network_stream"].close()
