"""What the API's URL and token must be before anything is sent with them."""

import contextlib

import httpx
from pydantic import SecretStr

from schemas.errors import ConfigError
from schemas.loopback import is_loopback


def check_api_url(api_url: str) -> str:
    """The URL, if a token may be sent there.

    Raises:
        ConfigError: no scheme or host, a user or a password, a query, or plain HTTP to another
            machine.
    """
    url = None
    with contextlib.suppress(httpx.InvalidURL):
        url = httpx.URL(api_url)
    if url is None or url.scheme not in {"http", "https"} or not url.host:
        raise ConfigError("LUMOS_API_URL is not a URL: write it as https://api.lumos.com")
    if url.userinfo:
        raise ConfigError("LUMOS_API_URL holds a user or a password: only LUMOS_API_TOKEN is sent")
    if url.query or url.fragment:
        raise ConfigError("LUMOS_API_URL has a query: end it with the host or a path")
    if url.scheme == "http" and not is_loopback(url.host):
        raise ConfigError(
            f"LUMOS_API_URL is plain http to {url.host}: the token would travel in clear; use https"
        )
    return api_url


def check_token(token: SecretStr) -> str:
    """The token, if it can stand in a header; HTTP libraries quote one that cannot in their errors.

    Raises:
        ConfigError: empty, or with blanks, line breaks or letters outside ASCII.
    """
    text = token.get_secret_value()
    if not text:
        raise ConfigError("LUMOS_API_TOKEN is empty: make a token under Settings, API Tokens")
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ConfigError("LUMOS_API_TOKEN holds a blank, a line break or a letter no token has")
    return text
