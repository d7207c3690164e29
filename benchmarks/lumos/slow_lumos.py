"""A Lumos that holds accounts `u0`, `u1`, … of every app and answers late, pages of at most 100.

`python -m benchmarks.lumos.slow_lumos PORT ACCOUNTS SECONDS`: each answer takes so many seconds,
and as little work as can be: what is measured is whoever asks.
"""

import asyncio
import json
import re
import sys
from functools import cache

_PAGE = re.compile(rb"[?&]page=(\d+)")
_SIZE = 100


@cache
def _body(page: int, accounts: int) -> bytes:
    first = (page - 1) * _SIZE
    items = [
        {
            "id": f"00000000-0000-4000-8000-{number:012d}",
            "account_type": "USER",
            "status": "ACTIVE",
            "unique_identifier": f"u{number}",
            "email": f"user{number}@example.com",
            "user_id": None,
            "discovered_at": "2026-01-01T00:00:00.000000+00:00",
            "last_login": None,
            "last_activity": None,
            "sources": ["MANUAL"],
        }
        for number in range(first, min(first + _SIZE, accounts))
    ]
    return json.dumps({"items": items, "total": accounts, "page": page, "size": _SIZE}).encode()


async def _serve(port: int, accounts: int, seconds: float) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                asked = await reader.readuntil(b"\r\n\r\n")
                page = _PAGE.search(asked.partition(b"\r\n")[0])
                await asyncio.sleep(seconds)
                body = _body(int(page.group(1)) if page else 1, accounts)
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n"
                writer.write(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
