"""`nostra://` for Python's data tools: results as the files of a read-only fsspec filesystem.

`nostra://<invocation>` is a folder, `nostra://<invocation>/<result>.<format>` a file in it, and
`nostra://<invocation>.<format>` the primary result. Ids are percent-encoded: `/` in an id is `%2F`,
and an id that itself ends in `.csv` ends in `%2Ecsv`.

fsspec is optional: it loads this module through the entry point `nostra`.
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
from typing import IO, Any

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

from nostra_cli.api.client import Service
from nostra_cli.config.credentials import Token
from nostra_cli.config.settings import Flags, load
from nostra_cli.downloads.address import Address, Entry, address_of, entries_of, entry_of
from nostra_cli.downloads.plan import Destination, Item, choose
from nostra_cli.downloads.ranges import fetch_range, fetch_version
from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.downloads.sinks.spool import Spool
from nostra_cli.downloads.stream import NoMeter, StreamOptions, stream_body
from nostra_cli.errors import Corrupt, NostraError, NotFound
from nostra_cli.http.retry import Retrier
from nostra_cli.http.timeouts import Deadline, LowSpeed
from nostra_cli.http.transport import Transport
from nostra_cli.models import Invocation, check_completed
from nostra_cli.output.sanitize import sanitize

_FIRST_BLOCK = 256 * 1024  # bytes; their response has the length and the version of the body


@dataclass(frozen=True, slots=True)
class _Connection:
    """The service for one process."""

    service: Service
    low_speed: LowSpeed
    token: Token
    pid: int


class NostraFileSystem(AbstractFileSystem):  # type: ignore[misc] # fsspec has no types
    """Results of the Nostradamus service, read-only.

    `profile` and `base_url` are those of the command line. The token is not an option: each process
    reads it from its own environment or config file, so that it is never pickled. Missing files
    raise FileNotFoundError; other failures are NostraErrors with their hint as a note.
    """

    protocol = "nostra"

    def __init__(
        self, profile: str | None = None, base_url: str | None = None, **options: object
    ) -> None:
        """Connect later; `options` are those of every fsspec filesystem."""
        if "token" in options:
            raise TypeError("nostra:// takes no token: set NOSTRA_TOKEN, or name a profile")
        super().__init__(profile=profile, base_url=base_url, **options)
        self._flags = Flags(profile, base_url)
        self._lock = threading.Lock()
        self._connection: _Connection | None = None
        self._invocations: dict[str, Invocation] = {}
        self._versions: dict[str, BodyVersion] = {}

    def ls(self, path: str, detail: bool = True, **_options: object) -> list[Entry] | list[str]:
        """List the files of an invocation, or the file itself, without sizes."""
        path = self._strip_protocol(path)
        address = address_of(path)
        if address.format is not None:
            entries = [entry_of(path, self._item(path, address))]
        else:
            invocation = self._invocation(path, address.invocation)
            with self._errors(path):
                check_completed(invocation)
            entries = list(entries_of(path, invocation))
        return entries if detail else [str(entry["name"]) for entry in entries]

    def info(self, path: str, **_options: object) -> Entry:
        """Describe a file, with its size (None if unknown; one request), or a folder."""
        path = self._strip_protocol(path)
        entry = self._described(path)
        if entry["type"] == "file":
            version = self._version(path)
            entry.update(size=version.length, ETag=version.etag)
        return entry

    def _described(self, path: str) -> Entry:
        address = address_of(path)
        if address.format is not None:
            return entry_of(path, self._item(path, address))
        status = sanitize(self._invocation(path, address.invocation).status)
        return {"name": path, "size": 0, "type": "directory", "status": status}

    def exists(self, path: str, **_options: object) -> bool:
        """Return whether the invocation or the file exists."""
        return self._type(path) is not None

    def isfile(self, path: str) -> bool:
        """Return whether the path is a file."""
        return self._type(path) == "file"

    def isdir(self, path: str) -> bool:
        """Return whether the path is an invocation."""
        return self._type(path) == "directory"

    def _type(self, path: str) -> object:
        try:
            return self._described(self._strip_protocol(path))["type"]
        except FileNotFoundError:
            return None

    def ukey(self, path: str) -> str:
        """Return a key of the content of a file: completed results do not change."""
        described = str(self._described(self._strip_protocol(path)))
        return hashlib.sha256(described.encode()).hexdigest()

    def invalidate_cache(self, path: str | None = None) -> None:
        """Forget all invocations; completed ones are otherwise requested once."""
        self._invocations.clear()
        self._versions.clear()
        super().invalidate_cache(path)

    def open(self, path: str, mode: str = "rb", **options: object) -> IO[Any]:
        """Open a file as an io.BufferedReader, which polars and others require."""
        file: IO[Any] = super().open(path, mode, **options)
        return NostraReader(file) if isinstance(file, NostraFile) else file

    def _open(self, path: str, mode: str = "rb", **options: object) -> NostraFile:
        if mode != "rb":
            raise NotImplementedError(f"nostra:// is read-only, not for mode {mode!r}")
        address = address_of(path)
        if address.format is None:
            why = "it names an invocation: end it in .json, .csv or .xlsx"
            raise IsADirectoryError(errno.EISDIR, why, path)
        item = self._item(path, address)
        spool, version = Spool(), self._versions.get(path)
        if not _has_ranges(version):
            self._read_beginning(path, item, spool)
            version = spool.version
        return NostraFile(self, path, item, version, spool, **options)

    def _read_beginning(self, path: str, item: Item, spool: Spool) -> None:
        """Read the first block into `spool`, or the whole body if ranges are not reliable."""
        to = self._connected()
        body = (to.service, item, spool, NoMeter(), StreamOptions(low_speed=to.low_speed))
        with self._errors(path):
            complete = stream_body(*body, stop=_FIRST_BLOCK).complete
            if _has_ranges(spool.version) and spool.version:
                self._versions[path] = spool.version
            elif not complete:
                stream_body(*body)

    def fetch(self, path: str, item: Item, version: BodyVersion, start: int, stop: int) -> bytes:
        """Return the bytes from `start` up to `stop`; raises Corrupt if `version` has changed."""
        to = self._connected()
        try:
            with self._errors(path):
                return fetch_range(to.service, item, version, start, stop, to.low_speed)
        except Corrupt:
            self._versions.pop(path, None)  # the next open reads the new body
            raise

    def _item(self, path: str, address: Address) -> Item:
        invocation = self._invocation(path, address.invocation)
        with self._errors(path):
            [item] = choose(invocation, address.selection, Destination(stdout=True))
            if isinstance(item, NostraError):
                raise item
            return item

    def _invocation(self, path: str, identifier: str) -> Invocation:
        if known := self._invocations.get(identifier):
            return known
        with self._errors(path):
            found = self._connected().service.invocation(identifier)
        if found.final:
            self._invocations[identifier] = found
        return found

    def _version(self, path: str) -> BodyVersion:
        if path not in self._versions:
            item, to = self._item(path, address_of(path)), self._connected()
            with self._errors(path):
                version = fetch_version(to.service, item, to.low_speed)
            self._versions[path] = version or BodyVersion("", None, None, None)
        return self._versions[path]

    def _connected(self) -> _Connection:
        with self._lock:
            known = self._connection
            if known is None or known.pid != os.getpid():  # not the parent's sockets
                self._connection = known = self._connect()
            return known

    def _connect(self) -> _Connection:
        settings = load(self._flags, os.environ)
        for warning in settings.config.warnings:
            warnings.warn(sanitize(str(warning)), stacklevel=2)
        token, deadline = settings.require_token(), Deadline()
        transport = Transport(settings.base_url.value, token, deadline)
        weakref.finalize(self, transport.close)
        service = Service(transport, Retrier(deadline))
        low_speed = LowSpeed(settings.low_speed_limit.value, settings.low_speed_time.value)
        return _Connection(service, low_speed, token, os.getpid())

    @contextlib.contextmanager
    def _errors(self, path: str) -> Iterator[None]:
        """Convert NotFound to FileNotFoundError, and sanitize text of the service."""
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


def _has_ranges(version: BodyVersion | None) -> bool:
    """Return whether length and version of a body are known, to read ranges of it."""
    return version is not None and version.length is not None and version.validator is not None


class NostraFile(AbstractBufferedFile):  # type: ignore[misc] # fsspec has no types
    """An open result, read from any position through one of fsspec's caches.

    A body that changes while it is read raises Corrupt.
    """

    def __init__(
        self,
        fs: NostraFileSystem,
        path: str,
        item: Item,
        version: BodyVersion | None,
        spool: Spool,
        **options: object,
    ) -> None:
        """Read beyond `spool` by ranges of `version`; `options` are those of fsspec."""
        self._item = item
        self._version = version
        self._spool = spool
        length = version.length if version else None
        options["size"] = spool.size if length is None else length
        super().__init__(fs, path, "rb", **options)

    @property
    def name(self) -> str:
        """The URL."""
        return f"nostra://{self.path}"

    def _fetch_range(self, start: int, end: int) -> bytes:
        self._spool.file.seek(start)
        data = self._spool.file.read(end - start)
        start += len(data)
        stop = min(end, self.size)
        if start < stop and self._version:
            data += self.fs.fetch(self.path, self._item, self._version, start, stop)
        return data

    def close(self) -> None:
        """Delete the spool."""
        super().close()
        self._spool.close()


class NostraReader(io.BufferedReader):
    """A NostraFile behind the interface of an open binary file; `size` is in bytes."""

    def __init__(self, file: NostraFile) -> None:
        super().__init__(file)
        self.size = file.size
