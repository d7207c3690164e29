"""A SCIM service on loopback for measuring: `… scim_service PORT USERS GROUPS`.

Every answer takes 20 ms, and pages have at most 100 resources; each group has 200 members. Answers
are encoded beforehand, so that the service's own work is little.
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs

DELAY_S = 0.02
CAP = 100
MEMBERS = 200
_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def user(n: int) -> bytes:
    """The n-th user, encoded."""
    return json.dumps(
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", _ENTERPRISE],
            "id": f"{n:08x}-0000-4000-8000-000000000000",
            "userName": f"clerk{n}@example.com",
            "name": {"givenName": f"Given{n}", "familyName": f"Family{n}"},
            "displayName": f"Given{n} Family{n}",
            "active": n % 20 != 0,
            "emails": [{"value": f"clerk{n}@example.com", "type": "work", "primary": True}],
            "roles": [{"value": f"role{n % 12}", "display": f"Role {n % 12}"}],
            _ENTERPRISE: {"department": f"D{n % 40}", "employeeNumber": str(n)},
            "meta": {"resourceType": "User", "lastModified": "2026-01-01T00:00:00Z"},
        }
    ).encode()


def group(n: int, users: int) -> bytes:
    """The n-th group, encoded."""
    members = [
        {"value": f"{(n * MEMBERS + at) % users + 1:08x}-0000-4000-8000-000000000000"}
        for at in range(MEMBERS)
    ]
    return json.dumps({"id": f"g{n}", "displayName": f"Group {n}", "members": members}).encode()


def to_answer(path: str, query: str, resources: dict[str, list[bytes]]) -> bytes:
    """The answer to a GET, encoded whole."""
    listed = resources.get(path)
    if listed is None:
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"
    asked = parse_qs(query)
    start = int(asked.get("startIndex", ["1"])[0])
    page = listed[start - 1 :][: min(CAP, int(asked.get("count", ["100"])[0]))]
    head = f'{{"totalResults":{len(listed)},"startIndex":{start},"itemsPerPage":{len(page)}'
    body = head.encode() + b',"Resources":[' + b",".join(page) + b"]}"
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/scim+json\r\n"
        b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    )


async def serve(port: int, resources: dict[str, list[bytes]]) -> None:
    """Answers until it is ended."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                target = head.split(b" ", 2)[1].decode()
                path, _, query = target.partition("?")
                await asyncio.sleep(DELAY_S)
                writer.write(to_answer(path, query, resources))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    number, users, groups = map(int, sys.argv[1:4])
    asyncio.run(
        serve(
            number,
            {
                "/Users": [user(n) for n in range(1, users + 1)],
                "/Groups": [group(n, users) for n in range(groups)],
            },
        )
    )
