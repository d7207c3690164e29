"""Who may ask: the bearer token, and what every endpoint takes from the app that serves it.

They are coroutines so that none of them costs a request a turn in another thread.
"""

import secrets
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from sandbox.errors import RefusedError
from sandbox.faults import Faults
from sandbox.state.store import Store

_BEARER = HTTPBearer(scheme_name="HTTPBearer", auto_error=False)


async def check_token(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> None:
    """Refuse a request without the token (401)."""
    given = "" if credentials is None else credentials.credentials
    if not secrets.compare_digest(given.encode(), request.app.state.token.encode()):
        raise RefusedError(
            401, "authentication", "unauthenticated", "The API token is missing or wrong"
        )


async def store_of(request: Request) -> Store:
    """Return the store of the app that serves `request`."""
    return cast(Store, request.app.state.store)


async def faults_of(request: Request) -> Faults:
    """Return the faults of the app that serves `request`."""
    return cast(Faults, request.app.state.faults)


StoreIn = Annotated[Store, Depends(store_of)]
FaultsIn = Annotated[Faults, Depends(faults_of)]
NEEDS_TOKEN = Depends(check_token)
