"""Azure and Google Cloud Storage, as far as stand-ins for their lists and looks can show it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from obstore.store import AzureStore, GCSStore

from extractors.zones.bucket import BucketZone
from schemas.errors import SourceIncompleteError, SourceUnavailableError

CONTENT = b"who,at\nann,1\n"
WRITTEN = "Thu, 02 Jul 2026 03:04:05 GMT"
AZURE_LIST = (
    '<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs><Blob><Name>drop/log-1.csv'
    f"</Name><Properties><Last-Modified>{WRITTEN}</Last-Modified><Etag>0x8D1</Etag>"
    f"<Content-Length>{len(CONTENT)}</Content-Length><Content-Type>text/csv</Content-Type>"
    "</Properties></Blob></Blobs><NextMarker/></EnumerationResults>"
)
GCS_LIST = (
    '<?xml version="1.0"?><ListBucketResult xmlns="http://doc.s3.amazonaws.com/2006-03-01"><Name>b'
    "</Name><Prefix>drop/</Prefix><IsTruncated>false</IsTruncated><Contents><Key>drop/log-1.csv"
    "</Key><Generation>17</Generation><LastModified>2026-07-02T03:04:05.678Z</LastModified>"
    f'<ETag>"0x8D1"</ETag><Size>{len(CONTENT)}</Size></Contents></ListBucketResult>'
)
REFUSALS = {
    "azure": (
        ("ContainerNotFound", 404, "there is no such bucket"),
        ("AuthenticationFailed: Signature not valid in the specified time frame", 403,
         "the signature has expired, or is not valid yet"),
    ),
    "gcs": (("NoSuchBucket", 404, "there is no such bucket"),),
}  # fmt: skip


@contextmanager
def _store(kind: str, refusal: tuple[str, int, str] | None = None) -> Iterator[BucketZone]:
    """A container or a bucket that holds one object, or that refuses everything."""
    listing = AZURE_LIST if kind == "azure" else GCS_LIST

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_list = self.command == "GET" and "?" in self.path
            body = listing.encode() if is_list else CONTENT
            status = 200
            if refusal is not None:
                status, body = refusal[1], f"<Error><Code>{refusal[0]}</Code></Error>".encode()
            elif not is_list and self.headers.get("If-Match") not in {None, '"0x8D1"'}:
                status, body = 412, b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 200 and not is_list:
                self.send_header("ETag", '"0x8D1"')
                self.send_header("Last-Modified", WRITTEN)
                self.send_header("x-goog-generation", "17")
                self.send_header("x-ms-version-id", "2026-07-02T03:04:05.6789012Z")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    options = {"allow_http": True}
    retries = {"max_retries": 0}
    try:
        if kind == "azure":
            store = AzureStore(
                "box", account_name="acc", account_key="a2V5", endpoint=url,
                client_options=options, retry_config=retries,
            )  # fmt: skip
        else:
            store = GCSStore(
                "b", base_url=url, skip_signature=True, client_options=options,
                retry_config=retries,
            )  # fmt: skip
        yield BucketZone(store, f"{kind}://box")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("pattern", ["drop/log-*.csv", "drop/*.csv", "**/log-1.csv"])
@pytest.mark.parametrize("kind", ["azure", "gcs"])
def test_a_listing_a_look_and_a_read_mean_the_same_object(
    kind: str, pattern: str, tmp_path: Path
) -> None:
    with _store(kind) as zone:
        [listed] = zone.matches(pattern)
        assert listed == zone.look_at("drop/log-1.csv")
        assert zone.fetch(listed, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("kind", ["azure", "gcs"])
def test_an_object_that_took_its_place_is_not_read(kind: str, tmp_path: Path) -> None:
    with _store(kind) as zone:
        [listed] = zone.matches("drop/log-1.csv")
        with pytest.raises(SourceIncompleteError, match="changed while it was read"):
            zone.fetch(replace(listed, identity="0x8D0"), tmp_path)


@pytest.mark.parametrize(
    ("kind", "refusal"), [(kind, one) for kind, several in REFUSALS.items() for one in several]
)
def test_a_refusal_is_told_in_its_own_words(kind: str, refusal: tuple[str, int, str]) -> None:
    with _store(kind, refusal) as zone:
        for pattern in ("drop/log-1.csv", "drop/*.csv"):
            with pytest.raises(SourceUnavailableError, match=refusal[2]):
                zone.matches(pattern)
