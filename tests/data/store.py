"""An S3 server process's worth of moto: on a socket, with requests that can be made to fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

SECRET = "s3-s3cr3t-s3cr3t"
BUCKET = "bucket"
_REFUSAL = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@dataclass
class Store:
    """A running server; what `refused` picks of its requests (method, query) is refused.

    While `parts_pass` is not set, the parts of uploads wait.
    """

    url: str = ""
    client: Any = None
    refused: Callable[[str, str], bool] = lambda _method, _query: False
    asked: list[str] = field(default_factory=list)
    parts_pass: threading.Event = field(default_factory=threading.Event)

    @property
    def env(self) -> dict[str, str]:
        """What s3fs finds it by."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "an-access-key-id",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def clear(self) -> None:
        """Make the bucket empty and let everything pass."""
        self.refused = lambda _method, _query: False
        self.parts_pass.set()
        for key in self.keys():
            self.client.delete_object(Bucket=BUCKET, Key=key)
        self.asked.clear()

    def keys(self) -> list[str]:
        """List the objects there are."""
        found = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return [entry["Key"] for entry in found]

    def uploads(self) -> list[str]:
        """List the multipart uploads that are neither completed nor aborted."""
        found = self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        return [entry["Key"] for entry in found]

    def body(self, key: str) -> bytes:
        """Return an object's bytes."""
        data: bytes = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return data


@contextmanager
def serving_s3() -> Iterator[Store]:
    """Run the server with an empty bucket."""
    import boto3
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Silent(WSGIRequestHandler):  # type: ignore[misc] # it is not there for all
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Log nothing."""

    store = Store()
    moto = DomainDispatcherApplication(create_backend_app)

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method, query = environ["REQUEST_METHOD"], environ["QUERY_STRING"]
        store.asked.append(f"{method} {query}")
        if store.refused(method, query):
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response("403 Forbidden", [("Content-Type", "application/xml")])
            return [] if method == "HEAD" else [_REFUSAL]
        if "partNumber" in query:
            store.parts_pass.wait(20)
        answer: Iterable[bytes] = moto(environ, start_response)
        return answer

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    store.url = f"http://127.0.0.1:{server.server_port}"
    store.client = boto3.client(
        "s3",
        endpoint_url=store.url,
        region_name="us-east-1",
        aws_access_key_id="an-access-key-id",
        aws_secret_access_key=SECRET,
    )
    store.client.create_bucket(Bucket=BUCKET)
    try:
        yield store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
