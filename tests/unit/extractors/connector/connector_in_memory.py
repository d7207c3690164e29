"""A connector in memory: what it answers, what it was asked, and how long the reader slept."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from extractors.connector.connector import ALLOWED, Connector
from extractors.connector.ways import About
from schemas.source_file.kinds.connector_source import ConnectorSource

SECRET = "canary-4711"
ABOUT = About(ALLOWED, ())


def error(code: str, **metadata: Any) -> dict[str, Any]:
    """An answer that is an error, with all that must not be told in its message."""
    told = {"message": f"{SECRET} ada@example.com https://upstream.example", "error_code": code}
    return {"is_error": True, "error": {**told, "app_id": "x", "error_metadata": metadata}}


def secret(_place: object) -> SecretStr:
    return SecretStr(SECRET)


@dataclass
class InMemory:
    """Pages of rows by capability; `answers` come first, in turn, in their place.

    Attributes:
        rows: by capability.
        answers: by capability: answers, or what makes one of a request; None for the usual.
        about_it: what it says of itself.
        asked: (capability, body) of each request.
        pauses: how long the reader slept.
    """

    rows: dict[str, list[Any]] = field(default_factory=dict)
    answers: dict[str, list[Any]] = field(default_factory=dict)
    about_it: About = ABOUT
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    name: str = "library"

    def about(self) -> About:
        return self.about_it

    def ask(self, capability: str, body: bytes) -> Any:
        request = json.loads(body)
        self.asked.append((capability, request))
        left = self.answers.get(capability, [])
        answer = left.pop(0) if left else None
        return answer if answer is not None else self.usual(capability, request)

    def usual(self, capability: str, request: dict[str, Any]) -> Any:
        rows, page = self.rows.get(capability, []), request["page"]
        start = int(page.get("token") or 0)
        end = start + page["size"]
        following = {"token": str(end), "size": page["size"]} if end < len(rows) else None
        return {"response": rows[start:end], "page": following}

    def opened(self, resolve: Callable[[Any], SecretStr] = secret, **options: Any) -> Connector:
        return Connector(self, to_connector_source(**options), resolve, self.pauses.append)


def to_connector_source(**options: Any) -> ConnectorSource:
    usual = {"kind": "connector", "url": "http://127.0.0.1:1", "page_size": 2}
    return ConnectorSource.model_validate({**usual, **options})
