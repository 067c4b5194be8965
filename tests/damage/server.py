"""A server that sends exactly the bytes of a case, and closes the connection behind them."""

from __future__ import annotations

import contextlib
import gzip
import random
import re
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import h11

from tests.damage.case import Case, Step, Version

Fields = dict[str, str]
_CODINGS = rb"\r\n(?:\w+-Encoding|Content-Type): [^\r]+"
_DATE = "Mon, 01 Jan 2024 12:00:00 GMT"


def wire(step: Step, version: Version, headers: Fields, seed: int) -> bytes:
    """Return what is sent for one request (lower-case names of its headers)."""
    if step.failure is not None:
        return _message(str(step.failure), {"Retry-After": "0"}, b"", "length")[0]
    status, fields, body = _content(step, version, headers)
    fields["Date"] = _DATE
    length = fields.pop("X-Length", None)
    head, sent = _message(status, fields, body, step.framing, length)
    if step.damage is not None:
        head, sent = _damaged(step, head, sent, random.Random(seed))
    if step.cut is not None:
        return (head + sent)[: int(len(head + sent) * step.cut)]
    return head + sent


def _content(step: Step, version: Version, headers: Fields) -> tuple[str, Fields, bytes]:
    """Return the status, the headers and the content of a response; its framing is still sound."""
    name, value = version.validator or ("", "")
    fields = {name: value} if name else {}
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
    current = step.range == "any-version" or headers.get("if-range", value) == value
    if not asked or not current or step.range == "ignored":
        if step.gzip:
            packed = gzip.compress(version.body, mtime=0)
            return "200", {**fields, "Content-Encoding": "gzip"}, packed
        return "200", fields, version.body
    total = len(version.body)
    start = int(asked[1]) + (3 if step.range == "shifted" else 0)
    stop = min(total, int(asked[2] or total) + 1)
    if step.range.startswith("416") or start >= total:
        fields["Content-Range"] = f"bytes */{total + 7 * (step.range == '416-wrong')}"
        return "416", {} if step.range == "416-no-etag" else fields, b""
    if step.range.startswith("short"):
        stop = min(stop, start + max(1, (stop - start) // 2))
    shown = str(total + 5 * (step.range == "wrong-total"))
    shown = "*" if step.range.endswith("no-total") else shown
    fields["Content-Range"] = f"bytes {start}-{stop - 1}/{shown}"
    content = _as_asked(step.range, fields, version.body[start:stop])
    if step.range == "no-etag":
        fields.pop(name, None)
    return "200" if step.range == "as-200" else "206", fields, content


def _as_asked(kind: str, fields: Fields, content: bytes) -> bytes:
    """Change a range and its headers as this kind of server does."""
    if kind == "ends-early":
        return content[: len(content) // 2]
    if kind == "too-much":
        return content + b"1,2,3\n"
    if kind == "wrong-length":
        fields["X-Length"] = str(len(content) // 2)
    elif kind == "no-content-range":
        del fields["Content-Range"]
    elif kind == "multipart":
        fields["Content-Type"] = "multipart/byteranges; boundary=x"
        return b"--x\r\n\r\n" + content + b"\r\n--x--\r\n"
    elif kind == "gzip":
        fields["Content-Encoding"] = "gzip"
        return gzip.compress(content, mtime=0)
    return content


def _message(
    status: str, fields: Fields, body: bytes, framing: str, length: str | None = None
) -> tuple[bytes, bytes]:
    """Return a head and the bytes behind it."""
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in fields.items())]
    if framing == "length":
        lines.append(f"Content-Length: {length or len(body)}")
    elif framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
        step = max(1, len(body) // 3)
        chunks = [body[at : at + step] for at in range(0, len(body), step)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode(), body


def _damaged(step: Step, head: bytes, sent: bytes, choice: random.Random) -> tuple[bytes, bytes]:
    """Damage a place of the head or of the framing; or of a gzip body, which has a checksum.

    Never so that other bytes become content: what the framing calls content is the body.
    """
    codings = [range(*found.span()) for found in re.finditer(_CODINGS, head)]
    places = [at for at in range(len(head) - 4) if not any(at in line for line in codings)]
    if step.framing == "chunked":
        places += [len(head) + place for place in _framing(sent)]
    if b"Content-Encoding: gzip" in head:
        places += range(len(head), len(head + sent))
    data, at = head + sent, places[int(step.place * len(places))]
    size = choice.choice([1, 2, 20])
    in_framing = step.framing == "chunked" and at >= len(head)
    if step.damage == "flip" or in_framing:
        flipped = bytes([data[at] ^ (1 << choice.randrange(8))])
        if in_framing and flipped in b"0123456789abcdefABCDEF":
            flipped = b"?"  # with another size the framing itself would become content
        data = data[:at] + flipped + data[at + 1 :]
    else:
        # More bytes than one would be some of what must stay.
        size = 1 if at + size not in places else size
        again = data[at : at + size] * 2 if step.damage == "twice" else b""
        data = data[:at] + again + data[at + size :]
    end = re.search(rb"\n\r?\n", data)
    if at < len(head) and (end is None or data[end.end() :] != sent):
        return head, sent  # the head would end too early
    return data[: len(head)], data[len(head) :]


def _framing(sent: bytes) -> Iterator[int]:
    """Yield where in a chunked body the sizes and line ends are."""
    at, size = 0, 1
    while size:
        end = sent.index(b"\r\n", at) + 2
        size = int(sent[at:end], 16)
        yield from range(at, end)
        yield from range(end + size, end + size + 2)
        at = end + size + 2


def content_of(sent: bytes) -> bytes | None:
    """Return the content of a response as any client has to read it, None for a bad one."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    body, packed = b"", False
    try:
        connection.receive_data(sent)
        connection.receive_data(b"")
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Response):
                names = {name for name, _ in event.headers}
                if event.status_code != 200 or b"content-range" in names:
                    return None
                packed = (b"content-encoding", b"gzip") in list(event.headers)
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return gzip.decompress(body) if packed else body
            elif event in (h11.NEED_DATA, h11.PAUSED):
                return None
    except (h11.RemoteProtocolError, OSError, EOFError, ValueError, zlib.error):
        return None


class Server:
    """One listening socket; `start` says which case it plays."""

    def __init__(self) -> None:
        """Listen."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.sent: list[bytes] = []
        self._case: Case | None = None
        self._steps: list[Step] = []

    def start(self, case: Case, good: bool) -> None:
        """Play a case from its beginning, or, where `good`, nothing but its last version."""
        self._case, self.sent = case, []
        self._steps = [] if good else list(case.steps)

    def serve(self) -> None:
        """Respond until the socket is closed."""
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.sendall(self._response(_read_head(connection)))

    def _response(self, headers: Fields) -> bytes:
        assert self._case
        step = self._steps.pop(0) if self._steps else Step(self._case.last)
        sent = wire(step, self._case.versions[step.version], headers, self._case.seed)
        self.sent.append(sent)
        return sent

    def close(self) -> None:
        """End `serve`."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _read_head(connection: socket.socket) -> Fields:
    head = b""
    while b"\r\n\r\n" not in head:
        more = connection.recv(65_536)
        if not more:
            break
        head += more
    lines = [line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:]]
    return {name.lower(): value.strip() for name, _, value in lines if name}


@contextmanager
def serving() -> Iterator[Server]:
    """Yield a running server."""
    server = Server()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()
