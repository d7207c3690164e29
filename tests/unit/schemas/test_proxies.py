"""The proxy that the environment names for a URL, and what of its variables cannot be used."""

import pytest

from schemas.errors import ConfigError
from schemas.network.proxies import Proxy, check_proxies, proxy_of


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"HTTPS_PROXY": "http://jo:pw@proxy.example:3128"},
        {"https_proxy": "proxy.example:3128"},
        {"NO_PROXY": "localhost,127.0.0.1,::1,10.0.0.0/8,.example.com,*"},
        {"ALL_PROXY": ""},
    ],
)
def test_what_can_be_used_is_let_through(environment: dict[str, str]) -> None:
    check_proxies(environment)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"ALL_PROXY": "socks5://h:1"}, "ALL_PROXY names a SOCKS proxy"),
        ({"all_proxy": "SOCKS5H://h:1"}, "all_proxy names a SOCKS proxy"),
        ({"HTTP_PROXY": "http://h:none"}, "HTTP_PROXY is no proxy's URL"),
        ({"HTTPS_PROXY": "ftp://h:1"}, "HTTPS_PROXY is no proxy's URL"),
        ({"NO_PROXY": "a.example, fd00::/8"}, "NO_PROXY names an IPv6 network"),
        ({"no_proxy": "[::1]"}, "no_proxy names an IPv6 network"),
    ],
)
def test_what_cannot_is_named_by_its_variable(environment: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check_proxies(environment)


def test_the_proxy_of_a_url_is_the_one_that_is_named_for_its_scheme() -> None:
    environment = {
        "HTTPS_PROXY": "http://jo:pw@one.example:1",
        "ALL_PROXY": "http://two.example:2",
        "NO_PROXY": ".corp.example",
    }
    assert proxy_of("https", "api.example", environment) == Proxy("HTTPS_PROXY", "one.example:1")
    assert proxy_of("http", "api.example", environment) == Proxy("ALL_PROXY", "two.example:2")
    assert proxy_of("https", "a.corp.example", environment) is None
    assert proxy_of("https", "api.example", {}) is None
