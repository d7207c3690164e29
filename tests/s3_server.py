"""An emulator of S3 (moto) on loopback, for as long as the tests last, as a pytest plugin."""

import itertools
import logging
from collections.abc import Callable, Iterator

import httpx
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import S3Store


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Its address; any key logs in."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


_NUMBERS = itertools.count()


@pytest.fixture
def new_bucket(s3_endpoint: str) -> Callable[[], S3Store]:
    """Makes an empty bucket."""

    def made() -> S3Store:
        store = S3Store(
            f"bucket-{next(_NUMBERS)}",
            endpoint=s3_endpoint,
            access_key_id="test",
            secret_access_key="test",
            region="us-east-1",
            client_options={"allow_http": True},
        )
        httpx.put(f"{s3_endpoint}/{store.config['bucket']}").raise_for_status()
        return store

    return made
