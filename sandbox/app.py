"""The sandbox: a local stand-in for the Lumos API, made by `create_app`."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from fastapi import FastAPI, Request
from starlette.routing import Route

from sandbox.errors import add_error_answers
from sandbox.faults import Faults
from sandbox.gateway import Gateway, Traffic
from sandbox.routes import accounts, activity, apps, meta, pages, uploads
from sandbox.state.store import Store


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

    app = FastAPI(
        title="Lumos sandbox", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan
    )
    app.state.store, app.state.faults, app.state.traffic = store, armed, traffic
    app.state.token = token
    for router in API_ROUTERS:
        app.include_router(router)
    app.include_router(pages.router)
    app.get("/openapi.json", include_in_schema=False)(_read_contract)
    app.add_middleware(Gateway, faults=armed, traffic=traffic, paths=API_PATHS)
    add_error_answers(app)
    return app


def _read_contract(request: Request) -> dict[str, Any]:
    """Return the contract: a client made from it asks this sandbox, and knows Lumos's names.

    The pages of two lists are two things: named alike, a client could tell only one of them.
    """
    contract = request.app.openapi()
    for name, schema in contract["components"]["schemas"].items():
        if name.startswith("Page_"):
            schema["title"] = f"Page[{name.removeprefix('Page_').removesuffix('_')}]"
    return {**contract, "servers": [{"url": str(request.base_url).rstrip("/")}]}


API_ROUTERS = (meta.router, apps.router, uploads.router, accounts.router, activity.router)
API_PATHS = [
    route.path for router in API_ROUTERS for route in router.routes if isinstance(route, Route)
]
