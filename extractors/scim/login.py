"""How a SCIM service is logged in to: a bearer token, a name and password, OAuth, or not at all."""

import base64
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import quote_plus

import httpx

from extractors.scim.documents import NotJsonError, decode
from extractors.zones.https import failure
from schemas.errors import ConfigError, SourceUnavailableError
from schemas.source_file.kinds.scim_source import ScimOAuth, ScimSource
from schemas.source_file.secrets import Resolve, Secret

_RENEW_BEFORE_S = 30.0


class LoginRefusedError(SourceUnavailableError):
    """The service answers, and does not take the credentials: trying again would not help."""

    retryable = False


class Login(Protocol):
    """What goes with every request."""

    def header(self) -> str | None:
        """Returns the value of Authorization; None where nothing is sent."""
        ...

    def renew(self) -> bool:
        """Whether another value may be taken where this one was refused."""
        ...


class Fixed:
    """The same header every time, or none."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def header(self) -> str | None:
        """Returns it."""
        return self._value

    def renew(self) -> bool:
        """Never."""
        return False


class OAuth:
    """Tokens of client credentials (RFC 6749, 4.4), fetched when they are needed, for all threads.

    The client proves who it is by HTTP Basic, and where that is refused in the body: a server has
    to take the first (2.3.1), and some take the second only.
    """

    def __init__(
        self,
        options: ScimOAuth,
        secret: str,
        client: httpx.Client,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._secret = secret
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._ends_at = 0.0

    def header(self) -> str | None:
        """Returns the token as a header; fetches one where there is none, or it is about to end.

        Raises:
            SourceUnavailableError: the token server cannot be reached, or refuses.
        """
        with self._lock:
            if not self._token or self._clock() >= self._ends_at:
                self._fetch()
            return f"Bearer {self._token}"

    def renew(self) -> bool:
        """Lets the token go; the next request fetches another."""
        with self._lock:
            self._token = ""
        return True

    def _fetch(self) -> None:
        answer = self._ask(in_body=False)
        if answer.status_code in {400, 401}:
            answer = self._ask(in_body=True)
        document = _document(answer)
        if answer.status_code in {400, 401, 403}:
            raise LoginRefusedError(
                f"{self._options.token_url}: {answer.status_code}: it gives no token: are "
                "client_id, client_secret and scope right?"
            )
        token = document.get("access_token")
        if not answer.is_success or not isinstance(token, str) or not _is_token(token):
            raise SourceUnavailableError(
                f"{self._options.token_url}: {answer.status_code}: answers with no token"
            )
        self._token = token
        lasts_s = document.get("expires_in")
        is_told = isinstance(lasts_s, int) and not isinstance(lasts_s, bool)
        seconds = float(lasts_s) if is_told and lasts_s is not None else 3600.0
        self._ends_at = self._clock() + max(seconds - _RENEW_BEFORE_S, seconds / 2)

    def _ask(self, *, in_body: bool) -> httpx.Response:
        form = {"grant_type": "client_credentials"}
        if self._options.scope:
            form["scope"] = self._options.scope
        headers = {"Accept": "application/json"}
        if in_body:
            form |= {"client_id": self._options.client_id, "client_secret": self._secret}
        else:
            names = (quote_plus(self._options.client_id), quote_plus(self._secret))
            headers["Authorization"] = _basic(*names)
        problem = ""
        try:
            return self._client.post(self._options.token_url, data=form, headers=headers)
        except (httpx.TransportError, httpx.DecodingError) as error:
            problem = failure(error, "source.ca_file")
        raise SourceUnavailableError(f"{self._options.token_url}: {problem}")


def to_login(source: ScimSource, resolve: Resolve, client: httpx.Client) -> Login:
    """Returns the login that the source file names.

    Raises:
        ConfigError: a secret is not in its place, or is none that can be sent.
    """
    if source.oauth is not None:
        secret = resolve(source.oauth.client_secret).get_secret_value()
        return OAuth(source.oauth, secret, client)
    if source.basic is not None:
        password = resolve(source.basic.password).get_secret_value()
        return Fixed(_basic(source.basic.username, password))
    if source.token is not None:
        return Fixed(f"Bearer {_sendable(source.token, resolve)}")
    return Fixed(None)


def _sendable(secret: Secret, resolve: Resolve) -> str:
    token = resolve(secret).get_secret_value()
    if not _is_token(token):
        raise ConfigError("has characters in it that no token has", key="source.token")
    return token


def _is_token(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def _document(answer: httpx.Response) -> dict[str, Any]:
    try:
        document = decode(answer.content)
    except NotJsonError:
        return {}
    return document if isinstance(document, dict) else {}
