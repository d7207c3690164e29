"""A SCIM service in memory: what it answers, how it misbehaves, and what it was asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from extractors.scim.login import Fixed, Login
from extractors.scim.service import ScimService

BASE = "https://idp.example/scim/v2"


def user(n: int, **more: Any) -> dict[str, Any]:
    """A user as a service shows it; `more` replaces or adds to its attributes."""
    usual = {
        "id": f"u{n}",
        "userName": f"clerk{n}",
        "active": True,
        "name": {"givenName": f"Given{n}", "familyName": f"Family{n}"},
        "emails": [{"value": f"clerk{n}@example.com", "type": "work", "primary": True}],
    }
    return usual | more


def users(count: int) -> list[dict[str, Any]]:
    return [user(n) for n in range(1, count + 1)]


def list_of(resources: list[Any], total: int | None, **more: Any) -> httpx.Response:
    """A ListResponse."""
    schemas = ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]
    document = {"schemas": schemas, "Resources": resources, "itemsPerPage": 1000, **more}
    if total is not None:
        document["totalResults"] = total
    return httpx.Response(200, json=document)


@dataclass
class Scim:
    """Answers pages of its resources as RFC 7644 has it.

    Attributes:
        resources: what it has, by path.
        cap: the most resources of a page.
        answers: in place of the usual answer: what makes one, by path, or None for the usual.
        asked: (path, query) of each request, in order.
        pauses: how long the client slept.
    """

    resources: dict[str, list[Any]] = field(default_factory=dict)
    cap: int = 1000
    answers: dict[str, Callable[[httpx.Request], httpx.Response | None]] = field(
        default_factory=dict
    )
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, query = request.url.path.removeprefix("/scim/v2"), dict(request.url.params)
        self.asked.append((path, query))
        special = self.answers.get(path)
        answer = special(request) if special else None
        return answer or self.usual(path, query)

    def usual(self, path: str, query: dict[str, str]) -> httpx.Response:
        if path not in self.resources:
            return httpx.Response(404, json={"status": "404"})
        start, count = int(query.get("startIndex", 1)), int(query.get("count", self.cap))
        page = self.resources[path][start - 1 :][: min(count, self.cap)]
        return list_of(page, len(self.resources[path]), startIndex=start)

    def opened(self, at_once: int = 1, login: Login | None = None) -> ScimService:
        client = httpx.Client(transport=httpx.MockTransport(self))
        return ScimService(
            BASE, client, login or Fixed(None), at_once, self.pauses.append, lambda: 0.0
        )
