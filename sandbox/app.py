"""The sandbox: a local stand-in for the Lumos API, made by `create_app`."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, FastAPI
from starlette.routing import Route

from sandbox.access import NEEDS_TOKEN
from sandbox.errors import add_error_answers
from sandbox.faults import Faults
from sandbox.gateway import Gateway, Traffic
from sandbox.models import User
from sandbox.routes import accounts, activity, apps, pages, uploads
from sandbox.state.store import Store

meta = APIRouter()


@meta.get("/info")
def read_info() -> dict[str, Any]:
    """Say that the API is alive; no token needed."""
    return {"name": "Lumos sandbox", "is_sandbox": True, "status": "ok"}


@meta.get("/users/current", dependencies=[NEEDS_TOKEN])
def read_current_user() -> User:
    """Say whose token it is: always the same made-up person's."""
    return {
        "id": "5a4db0c5-0000-4000-8000-000000000001",
        "email": "sandbox@example.com",
        "given_name": "Sandbox",
        "family_name": "Admin",
        "status": "ACTIVE",
    }


def create_app(
    *,
    db: Path | None = None,
    token: str = "lsk_sandbox",  # noqa: S107
    uploads: Literal["snapshot", "merge"] = "snapshot",
    job_seconds: float = 0.5,
    faults: Sequence[str] = (),
) -> FastAPI:
    """Return the sandbox as an ASGI app; `sandbox.server` serves it.

    Args:
        db: SQLite file that is kept; None is a private temporary database.
        token: the bearer token that is let in.
        uploads: `snapshot` removes the accounts that an upload does not hold, `merge` keeps them.
        job_seconds: how long a job takes; 0 is done by the next request.
        faults: armed from the start; `sandbox.faults` has the grammar.

    Raises:
        ValueError: a fault cannot be understood.
    """
    armed, traffic = Faults(faults), Traffic()
    store = Store(db, uploads=uploads, job_seconds=job_seconds)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        store.close()

    app = FastAPI(title="Lumos sandbox", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.store, app.state.faults, app.state.traffic = store, armed, traffic
    app.state.token = token
    for router in API_ROUTERS:
        app.include_router(router)
    app.include_router(pages.router)
    app.add_middleware(Gateway, faults=armed, traffic=traffic, paths=API_PATHS)
    add_error_answers(app)
    return app


API_ROUTERS = (meta, apps.router, uploads.router, accounts.router, activity.router)
API_PATHS = [
    route.path for router in API_ROUTERS for route in router.routes if isinstance(route, Route)
]
