"""A connector that is asked: its errors told apart, waited for and tried again, page after page."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from extractors.connector.credentials import to_credentials
from extractors.connector.faults import Fault, to_fault
from extractors.connector.ways import About, Way
from schemas.errors import IngestError, SourceFormatError, SourceIncompleteError
from schemas.source_file.kinds.connector_source import ConnectorSource
from schemas.source_file.secrets import Resolve

_log = logging.getLogger(__name__)

ALLOWED = frozenset(
    {
        "find_entitlement_associations", "get_account_entitlement_associations",
        "get_data_recency", "get_last_activity", "list_accounts", "list_activity_records",
        "list_custom_attributes_schema", "list_entitlements", "list_resources",
        "validate_credentials",
    }
)  # fmt: skip
"""All that is ever asked of a connector: each of these only reads."""

_MOST_RETRIES = 2
_MOST_WAITS = 8
_LONGEST_PAUSE_S = 300.0
_MOST_BARREN = 3
"""A page that was there before may happen; so many in a row go on for ever."""
_MOST_EMPTY = 100


class _PageLostError(Exception):
    """A page after the first could not be had: its token may be out of date.

    The SDK's own helper answers a bad token with `internal_error`, and calls it retryable.
    """

    def __init__(self, error: IngestError) -> None:
        super().__init__(str(error))
        self.error = error


class Connector:
    """A connector, with its credentials and what it told of its rate limits.

    Attributes:
        name: what messages call it.
        about: what it says of itself.
    """

    def __init__(
        self,
        way: Way,
        source: ConnectorSource,
        resolve: Resolve,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = way.name
        self.about: About = way.about()
        self._way = way
        self._source = source
        self._resolve = resolve
        self._sleep = sleep
        self._credentials = to_credentials(source, self.about, resolve)
        self._rate_states: dict[str, Any] = {}

    def can(self, capability: str) -> bool:
        """Whether it has the capability."""
        return capability in self.about.capabilities

    def ask(self, capability: str, request: dict[str, Any]) -> Any:  # noqa: ANN401
        """Returns the response to one request that has no pages.

        Raises:
            ConfigError, SourceUnavailableError, SourceFormatError: as its errors mean.
        """
        return self._answer(capability, request, None)["response"]

    def pages(
        self, capability: str, request: dict[str, Any], keys_of: Callable[[Any], list[Any]]
    ) -> Iterator[Any]:
        """Yields the response of each page; `keys_of` says what is on one.

        A page that is lost after the first ends the iteration; `whole` begins anew then.

        Raises:
            SourceIncompleteError: a token comes twice, or pages go on with nothing new.
        """
        token, tokens, seen, barren, empty = None, set[str](), set[int](), 0, 0
        while True:
            answer = self._answer(capability, request, token)
            yield answer["response"]
            page = answer.get("page")
            token = page.get("token") if isinstance(page, dict) else None
            if not token:
                return
            keys = keys_of(answer["response"])
            digest = hash(tuple(keys))
            empty = 0 if keys else empty + 1
            barren = barren + 1 if keys and digest in seen else 0
            seen.add(digest)
            is_circle = barren >= _MOST_BARREN or empty > _MOST_EMPTY
            if not isinstance(token, str) or token in tokens or is_circle:
                raise SourceIncompleteError(
                    f"{self.name}: {capability}: its pages go in a circle: none is the last"
                )
            tokens.add(token)

    def whole(
        self,
        capability: str,
        request: dict[str, Any],
        keys_of: Callable[[Any], list[Any]],
        to_rows: Callable[[Any], Any],
    ) -> list[Any]:
        """Returns what `to_rows` makes of each page; read from the start again once, if need be.

        Raises:
            ConfigError, SourceError: as `pages`, and as its errors mean.
        """
        try:
            return [to_rows(response) for response in self.pages(capability, request, keys_of)]
        except _PageLostError as lost:
            _log.info("%s: %s: read from the start again: %s", self.name, capability, lost)
        error = None
        try:
            return [to_rows(response) for response in self.pages(capability, request, keys_of)]
        except _PageLostError as lost:
            error = lost.error
        raise error

    def _answer(
        self, capability: str, request: dict[str, Any], token: str | None
    ) -> dict[str, Any]:
        if capability not in ALLOWED:
            raise ValueError(capability)
        retries, waits, is_renewed, pause_s = 0, 0, False, 1.0
        while True:
            answer = self._asked(capability, request, token)
            if isinstance(answer, dict):
                return answer
            if answer.family == "throttle" and waits < _MOST_WAITS:
                waits += 1
            elif answer.family == "login" and not is_renewed:
                self._credentials = to_credentials(self._source, self.about, self._resolve)
                is_renewed = True
                continue
            elif self._may_retry(answer, token) and retries < _MOST_RETRIES:
                retries += 1
            else:
                error = answer.to_error(f"{self.name}: {capability}")
                if token is not None and answer.family in {"retry", "refuse", "settings"}:
                    raise _PageLostError(error)
                raise error
            _log.info("%s: %s: %s: asked again", self.name, capability, answer.code)
            self._sleep(min(max(answer.pause_s, pause_s), _LONGEST_PAUSE_S))
            pause_s *= 2

    def _may_retry(self, fault: Fault, token: str | None) -> bool:
        return fault.family == "retry" and (token is None or fault.code != "internal_error")

    def _asked(
        self, capability: str, request: dict[str, Any], token: str | None
    ) -> dict[str, Any] | Fault:
        page: dict[str, Any] = {"size": self._source.page_size}
        if token is not None:
            page["token"] = token
        limit: dict[str, Any] = {
            "max_execution_time": max(1, int(self._source.timeout.total_seconds() * 0.8))
        }
        if capability in self._rate_states:
            limit["last_known_state"] = self._rate_states[capability]
        body = {**self._credentials.body, "request": request, "page": page, "rate_limit": limit}
        answer = self._way.ask(capability, json.dumps(body, ensure_ascii=True).encode())
        if not isinstance(answer, dict):
            raise SourceFormatError(f"{self.name}: {capability}: the answer is no connector's")
        if answer.get("is_error"):
            return to_fault(answer.get("error"), self._credentials.secrets)
        if "response" not in answer:
            raise SourceFormatError(f"{self.name}: {capability}: the answer has no response")
        told = answer.get("rate_limit")
        state = told.get("current_state") if isinstance(told, dict) else None
        if isinstance(state, dict):
            self._rate_states[capability] = state
        return answer
