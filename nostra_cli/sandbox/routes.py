"""The API itself: a request in, a response out, without sockets.

Paths and responses follow the vendor's page "Retrieve Invocation Results"; creating an invocation
and listing collections follow its other public pages.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from nostra_cli.sandbox import responses
from nostra_cli.sandbox.content import FORMATS
from nostra_cli.sandbox.state import COLLECTION, CREATED_AT, TABLES_OF_TYPE, State

if TYPE_CHECKING:
    from nostra_cli.sandbox.responses import Request, Response

_READ = ("GET", "HEAD")
_PAGE = 20
_FIELDS: dict[str, Callable[[object], bool]] = {
    "collectionId": lambda value: isinstance(value, str),
    "invocationType": lambda value: value in tuple(TABLES_OF_TYPE),
    "args": lambda value: value is None or isinstance(value, dict),
}
_COLLECTIONS = tuple(
    {"id": id_, "name": name, "createdAt": CREATED_AT}
    for id_, name in (
        (COLLECTION, "Customers"),
        ("8e02d6c3f71b4a90b5c8127d", "Ordini e città"),
        ("c95a3be14f6d40e8925d7b06", "Leads"),
    )
)


def respond(state: State, token: str, request: Request) -> Response:
    """Respond as the service does: check the path, the token, the method, then the rest.

    Each segment of the path is decoded by itself, so that an id may hold an encoded slash.
    """
    found = _view([unquote(part) for part in request.path.split("/")[1:]])
    if found is None:
        return responses.unknown_path()
    methods, view = found
    given = request.headers.get("authorization", "").encode("latin-1").split()
    if len(given) != 2 or given[0].lower() != b"token":
        return responses.refused("Authentication credentials were not provided.")
    if not hmac.compare_digest(given[1], token.encode()):
        return responses.refused("Invalid token.")
    if request.method not in methods:
        allow = ("Allow", ", ".join(methods))
        return responses.error(405, f'Method "{request.method}" not allowed.', (allow,))
    return view(state, request)


def _view(parts: list[str]) -> tuple[tuple[str, ...], Callable[[State, Request], Response]] | None:
    """Return the methods and the view of a decoded path, or None."""
    match parts:
        case ["api", "collection"]:
            return _READ, _list_collections
        case ["api", "invocation"]:
            return ("POST",), _create
        case ["api", "invocation", name] if name:
            return _READ, lambda state, _: _status(state, name)
        case ["api", "invocation", name, kind] if name and kind in FORMATS:
            return _READ, lambda state, request: _download(state, request, name, None, kind)
        case ["api", "invocation", name, "result", result, kind] if (
            name and result and kind in FORMATS
        ):
            return _READ, lambda state, request: _download(state, request, name, result, kind)
    return None


def _status(state: State, name: str) -> Response:
    invocation = state.find(name)
    if invocation is None:
        return responses.error(404, "Not found.")
    return responses.document(200, invocation.document(state.poll(invocation)))


def _download(
    state: State, request: Request, name: str, result_id: str | None, kind: str
) -> Response:
    invocation = state.find(name)
    if invocation is None:
        return responses.error(404, "Not found.")
    if state.status(invocation) != "completed":
        return responses.error(404, "The invocation is not completed.")
    result = invocation.result(result_id)
    if result is None:
        return responses.error(404, "Not found.")
    if result.status != "completed":
        return responses.error(404, "The result ended in error.")
    content = result.contents.get(kind)
    if content is None:
        return responses.error(404, f"The result is not available as {kind}.")
    stem = invocation.id if result_id is None else f"{invocation.id}-{result_id}"
    return responses.attachment(request, content, kind, stem)


def _create(state: State, request: Request) -> Response:
    media_type = request.headers.get("content-type", "")
    if media_type.partition(";")[0].strip().lower() != "application/json":
        return responses.error(415, f'Unsupported media type "{media_type}" in request.')
    try:
        value: object = json.loads(request.body)
    except ValueError as reason:
        return responses.error(400, f"JSON parse error - {reason}")
    if not isinstance(value, dict):
        return responses.error(400, "Expected a dictionary.")
    wrong = {
        key: ["This field is required." if key not in value else "Not a valid value."]
        for key, is_valid in _FIELDS.items()
        if not is_valid(value.get(key))
    }
    if wrong:
        return responses.document(400, wrong)
    args = value.get("args") or {}
    made = state.create(value["collectionId"], value["invocationType"], args)
    # The key is not documented; the vendor's pages only mention "a request id".
    return responses.document(202, {"requestId": made})


def _list_collections(_: State, request: Request) -> Response:
    """Return one page, as DRF's LimitOffsetPagination does."""
    query = dict(parse_qsl(request.query))
    limit = _count(query.get("limit"), minimum=1, default=_PAGE)
    offset = _count(query.get("offset"), minimum=0, default=0)
    earlier, later = max(offset - limit, 0), offset + limit
    page = f"http://{request.headers.get('host', '')}{request.path}?limit={limit}&offset="
    document = {
        "count": len(_COLLECTIONS),
        "next": f"{page}{later}" if later < len(_COLLECTIONS) else None,
        "previous": f"{page}{earlier}" if offset else None,
        "results": _COLLECTIONS[offset:later],
    }
    return responses.document(200, document)


def _count(text: str | None, *, minimum: int, default: int) -> int:
    try:
        number = int(text or "")
    except ValueError:
        return default
    return number if number >= minimum else default
