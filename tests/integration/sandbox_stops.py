"""Stops a hundred sandboxes, each while its page is asked, and prints what was answered.

A program of its own: a connection that is closed beneath a statement takes the process down.
"""

import asyncio
import json
import sys
from collections import Counter

import httpx

from sandbox.app import create_app

_STOPS = 100
_REQUESTS = 4
_PATHS = ("/sandbox/state", "/sandbox/accounts", "/sandbox/activity", "/sandbox/stats")


async def _stop_under_requests() -> list[httpx.Response]:
    app = create_app()
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        async with app.router.lifespan_context(app):
            paths = [_PATHS[number % len(_PATHS)] for number in range(_REQUESTS)]
            requests = [asyncio.create_task(client.get(path)) for path in paths]
            await asyncio.wait(requests, return_when=asyncio.FIRST_COMPLETED)
        return list(await asyncio.gather(*requests))


async def _main() -> None:
    seen: Counter[str] = Counter()
    for _ in range(_STOPS):
        for answer in await _stop_under_requests():
            said = "" if answer.is_success else f" {answer.json()['detail']}"
            seen[f"{answer.status_code}{said}"] += 1
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    asyncio.run(_main())
