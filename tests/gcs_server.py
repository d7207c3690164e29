"""A stand-in for the XML API of Google Cloud Storage on loopback, as a pytest plugin.

Written from Google's reference of that API (read 2026-11): lists, looks, reads, writes, copies,
deletes, and the conditions on generations and ETags that readers and writers go by.
"""

import email.utils
import hashlib
import itertools
import json
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest
from obstore.store import GCSStore

_NUMBERS = itertools.count()


@dataclass(frozen=True)
class _Object:
    content: bytes
    generation: int
    written_at: datetime

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}{self.generation}"'


@dataclass
class Gcs:
    """The service.

    Attributes:
        url: its address.
        buckets: by bucket: by key: the object.
        asked: (method, path and query) of each request.
    """

    url: str = ""
    buckets: dict[str, dict[str, _Object]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    generations: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def service_account(self) -> str:
        """A service account's key that asks this service, and is not proved."""
        return json.dumps(
            {
                "gcs_base_url": self.url,
                "disable_oauth": True,
                "client_email": "",
                "private_key": "",
                "private_key_id": "",
            }
        )

    def bucket(self, name: str) -> GCSStore:
        """A bucket, whether it is there or not."""
        return GCSStore(
            name,
            service_account_key=self.service_account,
            client_options={"allow_http": True},
        )

    def put(self, bucket: str, key: str, content: bytes) -> _Object:
        """Puts an object there."""
        made = _Object(content, next(self.generations), datetime.now(UTC))
        self.buckets[bucket][key] = made
        return made

    def listing(self, bucket: str, query: dict[str, str]) -> str:
        """A page of a list, 1,000 objects at most."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token") or query.get("start-after", "")
        objects = self.buckets[bucket]
        keys = sorted(objects)
        found, folders, last = [], [], ""
        for key in keys[bisect_right(keys, after) :]:
            if not key.startswith(prefix):
                continue
            rest = key[len(prefix) :]
            if delimiter and delimiter in rest:
                folder = prefix + rest.partition(delimiter)[0] + delimiter
                folders += [folder] if folder not in folders and folder > after else []
                continue
            if len(found) == 1000:
                last = found[-1]
                break
            found.append(key)
        lines = "".join(
            f"<Contents><Key>{escape(key)}</Key><Generation>{one.generation}</Generation>"
            f"<LastModified>{one.written_at:%Y-%m-%dT%H:%M:%S.%fZ}</LastModified>"
            f"<ETag>{escape(one.etag)}</ETag><Size>{len(one.content)}</Size></Contents>"
            for key, one in ((key, objects[key]) for key in found)
        )
        more = f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if last else ""
        shared = "".join(
            f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in folders
        )
        is_cut = str(bool(last)).lower()
        return (
            f"<ListBucketResult><Name>{bucket}</Name><IsTruncated>{is_cut}</IsTruncated>"
            f"{lines}{shared}{more}</ListBucketResult>"
        )


class _Handler(BaseHTTPRequestHandler):
    gcs: ClassVar[Gcs]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        bucket, key, query = self._parts()
        if bucket not in self.gcs.buckets:
            return self._answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        if not key:
            return self._answer(200, self.gcs.listing(bucket, query).encode())
        there = self.gcs.buckets[bucket].get(key)
        if there is None:
            return self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        if self.headers.get("If-Match", there.etag) != there.etag:
            return self._answer(412)
        return self._answer(200, there.content, there)

    do_HEAD = do_GET  # noqa: N815 - the library's name

    def do_PUT(self) -> None:
        bucket, key, _ = self._parts()
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if bucket not in self.gcs.buckets:
            return self._answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        wanted = self.headers.get("x-goog-if-generation-match")
        if wanted == "0" and key in self.gcs.buckets[bucket]:
            return self._answer(412)
        source = self.headers.get("x-goog-copy-source")
        if source is not None:
            _, _, name = unquote(source).lstrip("/").partition("/")
            if name not in self.gcs.buckets[bucket]:
                return self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            content = self.gcs.buckets[bucket][name].content
        return self._answer(200, b"", self.gcs.put(bucket, key, content))

    def do_DELETE(self) -> None:
        bucket, key, _ = self._parts()
        there = self.gcs.buckets.get(bucket, {}).pop(key, None)
        self._answer(204 if there else 404)

    def _parts(self) -> tuple[str, str, dict[str, str]]:
        self.gcs.asked.append((self.command, self.path))
        url = urlsplit(self.path)
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        return bucket, key, query

    def _answer(self, status: int, body: bytes = b"", there: _Object | None = None) -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        if there is not None:
            self.send_header("ETag", there.etag)
            written = there.written_at.timestamp()
            self.send_header("Last-Modified", email.utils.formatdate(written, usegmt=True))
            self.send_header("x-goog-generation", str(there.generation))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_args: object) -> None: ...


@pytest.fixture(scope="session")
def gcs() -> Iterator[Gcs]:
    """The service."""
    service = Gcs()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"gcs": service}))
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def new_gcs_bucket(gcs: Gcs) -> Callable[[], GCSStore]:
    """Makes an empty bucket."""

    def made() -> GCSStore:
        name = f"gcs-bucket-{next(_NUMBERS)}"
        gcs.buckets[name] = {}
        return gcs.bucket(name)

    return made
