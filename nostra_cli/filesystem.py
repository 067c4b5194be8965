"""`nostra://` for Python's data tools: results as the files of a read-only fsspec filesystem.

`nostra://<invocation>` is a folder, `nostra://<invocation>/<result>.<format>` a file in it, and
`nostra://<invocation>.<format>` the primary result. Ids are percent-encoded: `/` in an id is `%2F`,
and an id that itself ends in `.csv` ends in `%2Ecsv`.

fsspec is no dependency of nostra: this module is loaded by it (entry point `nostra`), not by us.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import threading
import warnings
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from fsspec.spec import AbstractFileSystem

from nostra_cli.api.client import Service
from nostra_cli.config.credentials import Token
from nostra_cli.config.settings import Flags, load
from nostra_cli.downloads.address import Address, address_of, encoded
from nostra_cli.downloads.plan import Destination, Item, choose
from nostra_cli.downloads.reader import LARGEST_BLOCK, Reader, probe
from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.errors import NostraError, NotFound
from nostra_cli.http.retry import Retrier
from nostra_cli.http.timeouts import Deadline, LowSpeed
from nostra_cli.http.transport import Transport
from nostra_cli.models import Format, Invocation, Result, check_completed
from nostra_cli.output.sanitize import sanitize

Entry = dict[str, str | int | bool | None]
_BUFFER = 128 * 1024


@dataclass(frozen=True, slots=True)
class _Connection:
    """The service, as one process reaches it."""

    service: Service
    low_speed: LowSpeed
    token: Token
    pid: int


class NostraFileSystem(AbstractFileSystem):  # type: ignore[misc] # fsspec has no types
    """Results of the Nostradamus service, read-only.

    `profile` and `base_url` are as the command line's flags. There is no option for the token: each
    process finds it as the command line does, in its own environment or config file, so that it
    never travels with a pickled instance. What does not exist raises FileNotFoundError; all else is
    a NostraError, with what to do as its note.
    """

    protocol = "nostra"

    def __init__(
        self, profile: str | None = None, base_url: str | None = None, **options: object
    ) -> None:
        """Ask nothing yet; `options` are those of every fsspec filesystem."""
        if "token" in options:
            raise TypeError("nostra:// takes no token: set NOSTRA_TOKEN, or name a profile")
        super().__init__(profile=profile, base_url=base_url, **options)
        self._flags = Flags(profile, base_url)
        self._lock = threading.Lock()
        self._connection: _Connection | None = None
        self._invocations: dict[str, Invocation] = {}
        self._bodies: dict[str, BodyVersion] = {}

    def ls(self, path: str, detail: bool = True, **_options: object) -> list[Entry] | list[str]:
        """List the files of an invocation, or the file itself; sizes are not asked for.

        Raises NotReady, Failed, FileNotFoundError.
        """
        path = self._strip_protocol(path)
        address = address_of(path)
        if address.format is not None:
            entries = [_entry(path, self._item(path, address))]
        else:
            with self._errors(path):
                check_completed(self._invocation(path, address.invocation))
            entries = list(self._files(path, self._invocation(path, address.invocation)))
        return entries if detail else [str(entry["name"]) for entry in entries]

    def _files(self, path: str, invocation: Invocation) -> Iterator[Entry]:
        for result in invocation.results:
            for format_ in Format:
                if format_ in result.formats and not result.failed:
                    name = f"{path}/{encoded(result.id)}.{format_}"
                    yield _entry(name, Item(invocation.id, result, format_, None, by_id=True))

    def info(self, path: str, **_options: object) -> Entry:
        """Describe a file, with its size (None where the server does not tell), or a folder.

        The size costs one request the first time.
        """
        path = self._strip_protocol(path)
        entry = self._described(path)
        if entry["type"] == "file":
            body = self._body(path)
            entry.update(size=body.length, ETag=body.etag)
        return entry

    def _described(self, path: str) -> Entry:
        address = address_of(path)
        if address.format is not None:
            return _entry(path, self._item(path, address))
        invocation = self._invocation(path, address.invocation)
        status = sanitize(invocation.status)
        return {"name": path, "size": 0, "type": "directory", "status": status}

    def exists(self, path: str, **_options: object) -> bool:
        """Tell whether there is such an invocation, or such a file of it."""
        return self._type(path) is not None

    def isfile(self, path: str) -> bool:
        """Tell whether it is a file."""
        return self._type(path) == "file"

    def isdir(self, path: str) -> bool:
        """Tell whether it is an invocation."""
        return self._type(path) == "directory"

    def _type(self, path: str) -> object:
        try:
            return self._described(self._strip_protocol(path))["type"]
        except FileNotFoundError:
            return None

    def ukey(self, path: str) -> str:
        """Give what identifies a file's content: what is completed does not change."""
        text = str(self._described(self._strip_protocol(path)))
        return hashlib.sha256(text.encode()).hexdigest()

    def invalidate_cache(self, path: str | None = None) -> None:
        """Forget what was asked; completed invocations are otherwise asked for once."""
        self._invocations.clear()
        self._bodies.clear()
        super().invalidate_cache(path)

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        **_options: object,
    ) -> NostraFile:
        if mode != "rb":
            raise NotImplementedError(f"nostra:// is read-only, not for mode {mode!r}")
        address = address_of(path)
        if address.format is None:
            why = "it names an invocation: end it in .json, .csv or .xlsx"
            raise IsADirectoryError(errno.EISDIR, why, path)
        item = self._item(path, address)
        connection = self._connected()
        largest = block_size or LARGEST_BLOCK
        told = partial(self._errors, path)
        reader = Reader(connection.service, item, connection.low_speed, largest, told)
        return NostraFile(reader, self, path)

    def _item(self, path: str, address: Address) -> Item:
        invocation = self._invocation(path, address.invocation)
        with self._errors(path):
            [item] = choose(invocation, address.selection, Destination(stdout=True))
            if isinstance(item, NostraError):
                raise item
            return item

    def _invocation(self, path: str, identifier: str) -> Invocation:
        known = self._invocations.get(identifier)
        if known is None:
            with self._errors(path):
                known = self._connected().service.invocation(identifier)
            if known.final:
                self._invocations[identifier] = known
        return known

    def _body(self, path: str) -> BodyVersion:
        if path not in self._bodies:
            item = self._item(path, address_of(path))
            with self._errors(path):
                self._bodies[path] = probe(self._connected().service, item)
        return self._bodies[path]

    def _connected(self) -> _Connection:
        with self._lock:
            known = self._connection
            if known is None or known.pid != os.getpid():  # a parent's sockets are not ours
                self._connection = known = self._connect()
            return known

    def _connect(self) -> _Connection:
        settings = load(self._flags, os.environ)
        for warning in settings.config.warnings:
            warnings.warn(sanitize(warning), stacklevel=2)
        token, deadline = settings.require_token(), Deadline()
        transport = Transport(settings.base_url.value, token, deadline)
        weakref.finalize(self, transport.close)
        service = Service(transport, Retrier(deadline))
        low_speed = LowSpeed(settings.low_speed_limit.value, settings.low_speed_time.value)
        return _Connection(service, low_speed, token, os.getpid())

    @contextlib.contextmanager
    def _errors(self, path: str) -> Iterator[None]:
        """Tell of our errors in the words of files; the service's words may hold anything."""
        try:
            yield
        except NostraError as error:
            secret = self._connection.token.value if self._connection else ""
            error.message, error.hint = (
                sanitize(text.replace(secret, "***") if secret else text)
                for text in (error.message, error.hint)
            )
            error.args = (error.message,)
            if isinstance(error, NotFound):
                why = f"{error.message} ({error.hint})" if error.hint else error.message
                raise FileNotFoundError(errno.ENOENT, why, path) from error
            if error.hint:
                error.add_note(error.hint)
            raise


def _entry(name: str, item: Item) -> Entry:
    result: Result = item.result
    return {
        "name": name,
        "size": None,
        "type": "file",
        "invocation": item.invocation,
        "result": result.id,
        "format": str(item.format),
        "primary": result.primary,
    }


class NostraFile(io.BufferedReader):
    """An open result, to be read from any place; `size` is in bytes."""

    def __init__(self, reader: Reader, fs: NostraFileSystem, path: str) -> None:
        """Read through a buffer; nothing is asked for yet."""
        super().__init__(reader, _BUFFER)
        self._reader = reader
        self.fs = fs
        self.path = path

    @property
    def size(self) -> int:
        """How many bytes there are; asks for the first block where that is not known yet."""
        return self._reader.size()
