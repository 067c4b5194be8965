"""Every endpoint over HTTP, called with curl and as the vendor's page does."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import closing
from http.client import HTTPConnection

import pytest
import requests

from nostra_cli.sandbox.content import FORMATS, Rows
from nostra_cli.sandbox.samples import sample
from nostra_cli.sandbox.server import Sandbox, serving
from tests.sandbox.calling import curl, curl_api, vendor_get
from tests.sandbox.conftest import LARGE_BYTES

PRIMARY = {"demo": "churn", "demo-dedup": "deduplication", "demo-demand": "demand"}


def results_of(sandbox: Sandbox, name: str) -> dict[str, dict[str, object]]:
    results: dict[str, dict[str, object]] = vendor_get(sandbox, f"invocation/{name}").json()[
        "invocationResults"
    ]
    return results


def test_the_token_looks_like_one_of_drf(sandbox: Sandbox) -> None:
    assert len(bytes.fromhex(sandbox.token)) == 20


@pytest.mark.parametrize("name", PRIMARY)
def test_the_status_of_a_completed_invocation(sandbox: Sandbox, name: str) -> None:
    response = curl_api(sandbox, f"invocation/{name}")
    assert (response.code, response.status) == (0, 200)
    assert response.headers["content-type"] == "application/json"
    assert "date" in response.headers
    document = response.json()
    assert isinstance(document, dict)
    assert document["status"] == "completed"
    assert {"id", "invocationType", "collectionId", "createdAt"} < set(document)
    for result in document["invocationResults"].values():
        assert set(result) == {
            "primaryResult",
            "status",
            "jsonAvailable",
            "csvAvailable",
            "xlsxAvailable",
        }


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", PRIMARY)
def test_downloads_by_curl_and_by_requests(sandbox: Sandbox, name: str, kind: str) -> None:
    expected = sample(PRIMARY[name], kind).data
    curled = curl_api(sandbox, f"invocation/{name}/{kind}")
    response = vendor_get(sandbox, f"invocation/{name}/{kind}")

    assert (curled.code, curled.status) == (0, 200)
    assert curled.body == response.content == expected
    assert curled.headers["content-length"] == str(len(expected))
    assert curled.headers["content-disposition"] == f'attachment; filename="{name}.{kind}"'
    assert curled.headers["etag"] == response.headers["ETag"]


def test_every_result_has_its_own_url(sandbox: Sandbox) -> None:
    results = results_of(sandbox, "demo")
    bodies = {
        id_: vendor_get(sandbox, f"invocation/demo/result/{id_}/csv").content for id_ in results
    }
    (primary,) = (id_ for id_, result in results.items() if result["primaryResult"])
    assert len(set(bodies.values())) == len(bodies) == 3
    assert bodies[primary] == vendor_get(sandbox, "invocation/demo/csv").content


def test_partial_has_a_result_in_error_and_one_without_xlsx(sandbox: Sandbox) -> None:
    results = results_of(sandbox, "demo-partial")
    (failed,) = (id_ for id_, result in results.items() if result["status"] == "error")
    (poor,) = (
        id_
        for id_, result in results.items()
        if result["csvAvailable"] and not result["xlsxAvailable"]
    )
    path = "invocation/demo-partial"
    assert curl_api(sandbox, f"{path}/xlsx").status == 200
    for wrong in (f"result/{failed}/csv", f"result/{poor}/xlsx", "result/none/csv"):
        response = curl_api(sandbox, f"{path}/{wrong}")
        assert response.status == 404
        assert set(json.loads(response.body)) == {"detail"}


@pytest.mark.parametrize(("name", "status"), [("demo-failed", "failed"), ("demo-stuck", "running")])
def test_an_invocation_that_never_completes_has_no_results(
    sandbox: Sandbox, name: str, status: str
) -> None:
    document = vendor_get(sandbox, f"invocation/{name}").json()
    assert (document["status"], document["invocationResults"]) == (status, None)
    response = curl_api(sandbox, f"invocation/{name}/json")
    assert response.status == 404
    assert response.json() == {"detail": "The invocation is not completed."}


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_demo_large_has_the_requested_size(sandbox: Sandbox, kind: str) -> None:
    response = curl_api(sandbox, f"invocation/demo-large/{kind}")
    assert (response.code, len(response.body)) == (0, LARGE_BYTES)
    assert response.body == b"".join(Rows(kind, LARGE_BYTES).chunks(0, LARGE_BYTES))
    assert curl_api(sandbox, "invocation/demo-large/xlsx").status == 404


AUTH_ERRORS = [
    (None, "Authentication credentials were not provided."),
    ("Basic dXNlcjpwYXNz", "Authentication credentials were not provided."),
    ("Token", "Authentication credentials were not provided."),
    ("Token 0000", "Invalid token."),
]


@pytest.mark.parametrize(("header", "detail"), AUTH_ERRORS)
@pytest.mark.parametrize("path", ["invocation/demo", "invocation/none/csv", "collection"])
def test_without_the_token_nothing_is_shown(
    sandbox: Sandbox, path: str, header: str | None, detail: str
) -> None:
    options = ["-H", f"Authorization: {header}"] if header else []
    response = curl(f"{sandbox.base_url}/api/{path}", *options)
    assert response.status == 401
    assert response.headers["www-authenticate"] == "Token"
    assert response.json() == {"detail": detail}


def test_the_scheme_is_read_in_any_case(sandbox: Sandbox) -> None:
    auth = f"Authorization: tOKEN   {sandbox.token}"
    assert curl(f"{sandbox.base_url}/api/collection", "-H", auth).status == 200


def test_unknown_paths_and_ids(sandbox: Sandbox) -> None:
    assert curl_api(sandbox, "invocation/none").json() == {"detail": "Not found."}
    assert curl_api(sandbox, "invocation/none/csv").json() == {"detail": "Not found."}
    for path in ("", "/api", "/api/invocation/demo/", "/api/invocation/demo/pdf", "/login"):
        response = curl(sandbox.base_url + path)
        assert response.status == 404
        assert response.headers["content-type"].startswith("text/html")


def test_an_id_is_one_decoded_segment(sandbox: Sandbox) -> None:
    assert curl_api(sandbox, "invocation/%64emo").status == 200
    assert curl_api(sandbox, "invocation/demo%2Fcsv").json() == {"detail": "Not found."}


def test_methods(sandbox: Sandbox) -> None:
    response = curl_api(sandbox, "invocation/demo", "-X", "DELETE")
    assert (response.status, response.headers["allow"]) == (405, "GET, HEAD")
    assert response.json() == {"detail": 'Method "DELETE" not allowed.'}
    assert curl_api(sandbox, "invocation").headers["allow"] == "POST"


def test_head_has_the_headers_of_get(sandbox: Sandbox) -> None:
    head = curl_api(sandbox, "invocation/demo-large/csv", "-I")
    get = curl_api(sandbox, "invocation/demo-large/csv")
    del head.headers["date"], get.headers["date"]
    assert head.headers == get.headers
    assert (head.body, head.headers["content-length"]) == (b"", str(LARGE_BYTES))


def create(sandbox: Sandbox, body: str, media_type: str = "application/json") -> tuple[int, object]:
    response = curl_api(sandbox, "invocation", "-d", body, "-H", f"Content-Type: {media_type}")
    return response.status, response.json()


def test_a_created_invocation_lives_like_demo(sandbox: Sandbox) -> None:
    fields = {"collectionId": "c1", "invocationType": "deduplication", "args": {"a": 1}}
    status, document = create(sandbox, json.dumps(fields))
    assert status == 202
    assert isinstance(document, dict)
    (name,) = document.values()

    assert curl_api(sandbox, f"invocation/{name}/csv").status == 404  # it was never polled
    found = vendor_get(sandbox, f"invocation/{name}").json()
    assert (found["status"], found["collectionId"], found["args"]) == ("completed", "c1", {"a": 1})
    assert curl_api(sandbox, f"invocation/{name}/csv").body == sample("deduplication", "csv").data


@pytest.mark.parametrize(
    ("body", "status", "response"),
    [
        ("[1]", 400, {"detail": "Expected a dictionary."}),
        (
            "{}",
            400,
            {
                "collectionId": ["This field is required."],
                "invocationType": ["This field is required."],
            },
        ),
        (
            '{"collectionId": 1, "invocationType": [], "args": [1]}',
            400,
            {
                "collectionId": ["Not a valid value."],
                "invocationType": ["Not a valid value."],
                "args": ["Not a valid value."],
            },
        ),
    ],
)
def test_invalid_invocations_are_not_created(
    sandbox: Sandbox, body: str, status: int, response: dict[str, object]
) -> None:
    assert create(sandbox, body) == (status, response)


def test_a_body_that_is_not_json(sandbox: Sandbox) -> None:
    status, document = create(sandbox, "{bad")
    assert status == 400
    assert isinstance(document, dict)
    assert document["detail"].startswith("JSON parse error - Expecting property name")
    assert create(sandbox, "a=1", "text/plain") == (
        415,
        {"detail": 'Unsupported media type "text/plain" in request.'},
    )


def test_collections_are_paginated(sandbox: Sandbox) -> None:
    page = vendor_get(sandbox, "collection?limit=1").json()
    assert (page["count"], page["previous"]) == (3, None)
    seen, auth = list(page["results"]), {"Authorization": f"Token {sandbox.token}"}
    while page["next"]:
        page = requests.get(page["next"], headers=auth, timeout=20).json()
        seen += page["results"]
    assert len({found["id"] for found in seen}) == 3
    assert page["previous"] == f"{sandbox.base_url}/api/collection?limit=1&offset=1"
    assert len(vendor_get(sandbox, "collection?limit=x&offset=-1").json()["results"]) == 3


def test_one_connection_serves_many_requests(sandbox: Sandbox) -> None:
    connection = HTTPConnection(sandbox.base_url.removeprefix("http://"), timeout=20)
    with closing(connection):
        ports = set()
        for path, body in [("demo", None), ("demo/csv", None), ("none", b"{}"), ("demo", None)]:
            connection.request("GET", f"/api/invocation/{path}", body)
            assert connection.getresponse().read()
            ports.add(connection.sock.getsockname()[1])
    assert len(ports) == 1


def test_a_request_without_a_length_is_refused_and_the_connection_ends(sandbox: Sandbox) -> None:
    response = curl_api(sandbox, "invocation", "-d", "{}", "-H", "Transfer-Encoding: chunked")
    assert (response.status, response.headers["connection"]) == (411, "close")


def test_a_request_too_large_to_read_is_refused(sandbox: Sandbox) -> None:
    response = curl_api(sandbox, "invocation", "-d", "{}", "-H", "Content-Length: 9999999")
    assert (response.status, response.headers["connection"]) == (413, "close")


def test_it_stops_at_once_with_connections_open() -> None:
    before = threading.active_count()
    with serving(token="abc", large_bytes=1_000) as running:
        assert running.token == "abc"
        port = int(running.base_url.rpartition(":")[2])
        idle = socket.create_connection(("127.0.0.1", port), timeout=20)
        idle.sendall(b"GET /nothing HTTP/1.1\r\n\r\n")
        assert idle.recv(100).startswith(b"HTTP/1.1 404")
    with idle:
        while idle.recv(65_536):
            pass  # the rest of the page, then the end
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=20)
    assert threading.active_count() <= before + 1  # the handler may still be on its last line


def test_two_sandboxes_have_two_tokens() -> None:
    with serving(large_bytes=1_000) as one, serving(large_bytes=1_000) as other:
        assert one.token != other.token
        assert curl(f"{one.base_url}/api/collection", token=other.token).status == 401
