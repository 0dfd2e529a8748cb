"""An object store on loopback that speaks as much of S3 as the product asks for, and fails as told."""

from __future__ import annotations

import hashlib
import ssl
import threading
import time
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from core.clock import now

MOST_KEYS = 1000  # of one listing, as in S3 (ListObjectsV2)
SLOW_SECONDS = 5.0


class Fault(StrEnum):
    """How it fails until told otherwise."""

    NONE = "none"
    UNAVAILABLE = "unavailable"  # 503 SlowDown
    FULL = "full"  # 507, for what is written
    DENIED = "denied"  # 403 AccessDenied
    BAD_KEY = "bad_key"  # 403 InvalidAccessKeyId
    NO_BUCKET = "no_bucket"  # 404 NoSuchBucket
    OTHER_REGION = "other_region"  # 301 without a place
    SKEWED = "skewed"  # 403 RequestTimeTooSkewed
    SLOW = "slow"
    RESET = "reset"  # hangs up in the middle of each request


class S3:
    """The server; a context manager. Requests are not checked for their signature.

    Args:
        bucket: The one that exists.
        tls: How it encrypts, if it does.
    """

    def __init__(self, bucket: str, *, tls: ssl.SSLContext | None = None) -> None:
        self.bucket = bucket
        self.fault = Fault.NONE
        self.requests = 0
        self._objects: dict[str, tuple[bytes, datetime]] = {}
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.store = self
        self._scheme = "http"
        if tls is not None:
            self._scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]

    def environment(self, *, port: int | None = None) -> dict[str, str]:
        """Return the settings that lead the product here; `port` where something lies in between."""
        return {
            "HEADSHOTS_STORAGE_URL": f"s3://{self.bucket}/vault",
            "AWS_ENDPOINT_URL": f"{self._scheme}://127.0.0.1:{port or self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "local",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }

    def names(self) -> list[str]:
        """Return the keys of all objects, in order."""
        with self._lock:
            return sorted(self._objects)

    def get(self, key: str) -> bytes | None:
        """Return an object."""
        with self._lock:
            found = self._objects.get(key)
        return found[0] if found else None

    def when(self, key: str) -> datetime | None:
        """Return when an object was written."""
        with self._lock:
            found = self._objects.get(key)
        return found[1] if found else None

    def put(self, key: str, content: bytes, *, when: datetime | None = None) -> None:
        """Write an object; `when` makes it older than it is."""
        with self._lock:
            self._objects[key] = (content, when or now())

    def delete(self, key: str) -> None:
        """Delete an object; one that is not there is fine."""
        with self._lock:
            self._objects.pop(key, None)

    def __enter__(self) -> S3:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    store: S3

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up; that is what happens here."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""

    def _key(self) -> str:
        path = unquote(urlsplit(self.path).path).lstrip("/")
        return path.removeprefix(self.server.store.bucket).lstrip("/")

    def _faulty(self) -> bool:
        """Read the request's body; answer as the fault says and return whether that was the answer."""
        store = self.server.store
        store.requests += 1
        self.body = self._body()
        match store.fault:
            case Fault.UNAVAILABLE:
                self._error(HTTPStatus.SERVICE_UNAVAILABLE, "SlowDown")
            case Fault.DENIED:
                self._error(HTTPStatus.FORBIDDEN, "AccessDenied")
            case Fault.BAD_KEY:
                self._error(HTTPStatus.FORBIDDEN, "InvalidAccessKeyId")
            case Fault.NO_BUCKET:
                self._error(HTTPStatus.NOT_FOUND, "NoSuchBucket")
            case Fault.OTHER_REGION:
                self._error(HTTPStatus.MOVED_PERMANENTLY, "PermanentRedirect")
            case Fault.SKEWED:
                self._error(HTTPStatus.FORBIDDEN, "RequestTimeTooSkewed")
            case Fault.FULL if self.command == "PUT":
                self._error(HTTPStatus.INSUFFICIENT_STORAGE, "InsufficientStorage")
            case Fault.RESET:
                self.close_connection = True
            case Fault.SLOW:
                time.sleep(SLOW_SECONDS)
                return False
            case _:
                return False
        return True

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, status: HTTPStatus, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _error(self, status: HTTPStatus, code: str) -> None:
        self._send(status, f"<Error><Code>{code}</Code></Error>".encode(), Content_Type="application/xml")

    def do_PUT(self) -> None:
        if self._faulty():
            return
        self.server.store.put(self._key(), self.body)
        self._send(HTTPStatus.OK, ETag=_etag(self.body))

    def do_HEAD(self) -> None:
        self._read(lambda content: self._send_object(content, b""))

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if "list-type" in query:
            if not self._faulty():
                self._list(query)
            return
        self._read(lambda content: self._send_object(content, content))

    def _read(self, found: Callable[[bytes], None]) -> None:
        if self._faulty():
            return
        content = self.server.store.get(self._key())
        if content is None:
            self._error(HTTPStatus.NOT_FOUND, "NoSuchKey")
        else:
            found(content)

    def _send_object(self, content: bytes, body: bytes) -> None:
        when = self.server.store.when(self._key()) or now()
        self.send_response(HTTPStatus.OK)
        self.send_header("ETag", _etag(content))
        self.send_header("Last-Modified", when.strftime("%a, %d %b %Y %H:%M:%S GMT"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(body)

    def do_DELETE(self) -> None:
        if self._faulty():
            return
        self.server.store.delete(self._key())
        self._send(HTTPStatus.NO_CONTENT)

    def do_POST(self) -> None:
        if self._faulty():
            return
        if "delete" not in parse_qs(urlsplit(self.path).query, keep_blank_values=True):
            self._error(HTTPStatus.NOT_IMPLEMENTED, "NotImplemented")
            return
        keys = [node.text or "" for node in ET.fromstring(self.body).iter() if node.tag.endswith("Key")]
        for key in keys:
            self.server.store.delete(key)
        deleted = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
        self._send(
            HTTPStatus.OK, f"<DeleteResult>{deleted}</DeleteResult>".encode(), Content_Type="application/xml"
        )

    def _list(self, query: dict[str, list[str]]) -> None:
        store = self.server.store
        prefix = query.get("prefix", [""])[0]
        after = query.get("continuation-token", query.get("start-after", [""]))[0]
        most = min(int(query.get("max-keys", [str(MOST_KEYS)])[0]), MOST_KEYS)
        names = [name for name in store.names() if name.startswith(prefix) and name > after]
        page = names[:most]
        rows = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{len(store.get(name) or b'')}</Size>"
            f"<LastModified>{(store.when(name) or now()).strftime('%Y-%m-%dT%H:%M:%S.000Z')}</LastModified>"
            f"<ETag>{escape(_etag(store.get(name) or b''))}</ETag></Contents>"
            for name in page
        )
        more = len(names) > len(page)
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        self._send(
            HTTPStatus.OK,
            f"<ListBucketResult><Name>{store.bucket}</Name><KeyCount>{len(page)}</KeyCount>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>".encode(),
            Content_Type="application/xml",
        )


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
