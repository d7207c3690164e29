"""When a request that came to nothing may have had its effect, and so must not come twice."""

import httpx
import pytest

from loaders.lumos.retries import network_outage, status_outage

URL = "https://lumos.example/apps"


def cut(method: str) -> httpx.TransportError:
    return httpx.ReadError("cut", request=httpx.Request(method, URL))


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_a_request_that_never_left_had_no_effect(
    error: type[httpx.TransportError], method: str
) -> None:
    unsent = error("no", request=httpx.Request(method, URL))
    assert network_outage(unsent, method, "/apps").is_outcome_known


@pytest.mark.parametrize(
    ("method", "is_known"), [("GET", True), ("HEAD", True), ("POST", False), ("PATCH", False)]
)
def test_what_a_cut_or_failed_request_did_is_known_of_reading_ones_alone(
    method: str, is_known: bool
) -> None:
    # The path is not what tells: one that begins with a method's name is no request of that method.
    path = "GET /apps"
    assert network_outage(cut(method), method, path).is_outcome_known == is_known
    assert status_outage(httpx.Response(503), method, path).is_outcome_known == is_known
    assert status_outage(httpx.Response(429), method, path).is_outcome_known
