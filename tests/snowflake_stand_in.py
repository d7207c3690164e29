"""The program that stands in for Snowflake: fakesnow's server, with a whole answer to a login.

Runs in the emulators' own environment, not in ours (`tests.snowflake_emulator`). Newer connectors
ask for fields of the login that fakesnow leaves out; the rest is fakesnow's.
"""

import json
import sys
from collections.abc import Awaitable, Callable

import fakesnow.server
import uvicorn
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import Response

_LEFT_OUT = {
    "masterToken": "stand-in",
    "masterValidityInSeconds": 14400,
    "validityInSeconds": 3600,
    "sessionId": 1,
    "sessionInfo": {
        "databaseName": "SNOWFLAKE",
        "schemaName": "ACCOUNT_USAGE",
        "warehouseName": "",
        "roleName": "",
    },
    "parameters": [],
}


class _WholeLogin(BaseHTTPMiddleware):
    async def dispatch(
        self, request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        answer = await call_next(request)
        body = b"".join([part async for part in answer.body_iterator])
        if request.url.path.endswith("login-request") and answer.status_code == 200:
            document = json.loads(body)
            document["data"] = {**_LEFT_OUT, **document["data"]}
            body = json.dumps(document).encode()
        kept = {name: value for name, value in answer.headers.items() if name != "content-length"}
        return Response(body, answer.status_code, kept)


if __name__ == "__main__":
    # What sets a session's limits and zone has no counterpart in DuckDB, which is in UTC here.
    fakesnow.server.shared_fs.nop_regexes = [r"ALTER SESSION SET "]
    fakesnow.server.app.add_middleware(_WholeLogin)
    uvicorn.run(fakesnow.server.app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
