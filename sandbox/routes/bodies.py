"""Shapes of the request bodies, as the Lumos contract states them."""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import TypedDict

from sandbox.models import AccountStatus

CATEGORIES = (
    "Accounting & Finance",
    "Marketing & Analytics",
    "Content & Social Media",
    "Sales & Support",
    "Design & Creativity",
    "IT & Security",
    "Developers",
    "HR & Learning",
    "Office & Legal",
    "Communication",
    "Collaboration",
    "Commerce & Marketplaces",
    "Other",
    "Internal",
)


def check_category(category: str | None) -> None:
    """Refuse a category that is not one of the display names."""
    if category is not None and category not in CATEGORIES:
        raise ValueError("category is not one of those of GET /apps/categories")


class AppInputCreate(BaseModel):
    """A new custom app; an integration (`app_class_id`) is refused later, with a 400."""

    name: str | None = None
    category: str | None = None
    description: Annotated[str, Field(max_length=8192)] | None = None
    logo_url: str | None = None
    website_url: str | None = None
    request_instructions: str | None = None
    app_class_id: str | None = None
    auth: dict[str, Any] | None = None
    settings: dict[str, Any] | None = None
    version: str | None = None

    @model_validator(mode="after")
    def _custom_app_is_complete(self) -> Self:
        if self.app_class_id is None:
            for field in ("name", "category", "description"):
                if not getattr(self, field):
                    raise ValueError(f"{field} is required for a custom app")
            check_category(self.category)
        return self


class AppInputUpdate(BaseModel):
    """Changes to an app; a null takes a field back to what it was when the app was made."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    category: str | None = None
    description: str | None = Field(None, max_length=1000)
    logo_url: str | None = None
    website_url: str | None = None
    request_instructions: str | None = Field(None, max_length=511)

    @model_validator(mode="after")
    def _category_is_known(self) -> Self:
        check_category(self.category)
        return self


class PermissionInput(TypedDict):
    """A permission held by an uploaded account."""

    unique_identifier: NotRequired[str]
    type: NotRequired[str]
    name: NotRequired[str]


class AttributeInput(TypedDict):
    """A custom attribute of an uploaded account: `type` is its label, `name` its value."""

    unique_identifier: NotRequired[str | None]
    type: NotRequired[str]
    name: NotRequired[str]


class AccountInput(TypedDict):
    """An uploaded account."""

    unique_identifier: str | None
    email: NotRequired[str | None]
    first_name: NotRequired[str | None]
    last_name: NotRequired[str | None]
    last_activity: NotRequired[str | None]
    last_login: NotRequired[str | None]
    status: NotRequired[AccountStatus | None]
    permissions: NotRequired[list[PermissionInput]]
    attributes: NotRequired[list[AttributeInput]]


class AccountsUpload(BaseModel):
    """All accounts of one app; an empty list is valid, and empties the app."""

    app_id: str
    accounts: list[AccountInput] = []


class ActivityAccount(TypedDict):
    """Whose activity it was."""

    external_id: NotRequired[str]
    email: NotRequired[str | None]


class ActivityEvent(TypedDict):
    """What was done."""

    type: Literal["LOGIN", "ACTIVITY"]


class ActivityApp(TypedDict):
    """The app inside the source, when the source speaks of another app."""

    instance_identifier: str


class ActivityRecord(TypedDict):
    """One event of one account."""

    account: ActivityAccount
    event: ActivityEvent
    timestamp: datetime
    source_app_id: str
    app: NotRequired[ActivityApp | None]


class ActivityRecordInput(BaseModel):
    """A batch of activity records."""

    records: list[ActivityRecord]
