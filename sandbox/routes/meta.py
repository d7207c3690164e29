"""The endpoints of who there is: the one person that the sandbox knows, and that it is alive."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from sandbox.access import NEEDS_TOKEN
from sandbox.models import Page, User, UserWithCustomAttributes
from sandbox.routes.paging import INVALID_IS_422, PageIn

_PERSON: User = {
    "id": "5a4db0c5-0000-4000-8000-000000000001",
    "email": "sandbox@example.com",
    "given_name": "Sandbox",
    "family_name": "Admin",
    "status": "ACTIVE",
}

router = APIRouter()


@router.get("/info", operation_id="Lumos liveness check")
def read_info() -> dict[str, Any]:
    """Say that the API is alive; no token needed."""
    return {"name": "Lumos sandbox", "is_sandbox": True, "status": "ok"}


@router.get("/users/current", operation_id="currentUser", dependencies=[NEEDS_TOKEN])
def read_current_user() -> User:
    """Say whose token it is: always the same made-up person's."""
    return _PERSON


@dataclass(frozen=True, slots=True)
class UserFilters:
    """Which users are asked for; there are no custom attributes to expand."""

    search_term: str | None = None
    exact_match: bool = False
    expand: Annotated[list[str] | None, Query()] = None

    def takes(self, person: User) -> bool:
        """Say whether a person is meant, by name or address."""
        if self.search_term is None:
            return True
        names = (person.get("given_name") or "", person.get("family_name") or "")
        texts = [text.lower() for text in (person.get("email") or "", " ".join(names), *names)]
        term = self.search_term.lower()
        return term in texts if self.exact_match else any(term in text for text in texts)


@router.get(
    "/users",
    operation_id="listUsers",
    dependencies=[NEEDS_TOKEN],
    responses=INVALID_IS_422,
)
def list_users(
    asked: PageIn, filters: Annotated[UserFilters, Depends()]
) -> Page[UserWithCustomAttributes]:
    """List the people there are: the one whose token it is."""
    people: list[UserWithCustomAttributes] = (
        [{**_PERSON, "custom_attributes": {}}] if filters.takes(_PERSON) else []
    )
    return {
        "items": people if asked.page == 1 else [],
        "total": len(people),
        "page": asked.page,
        "size": asked.size,
        "pages": asked.page_count(len(people)),
    }
