"""Shapes of the request bodies, as the Lumos contract states them."""

from typing import Annotated, Any, Literal, NotRequired, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from typing_extensions import TypedDict

from sandbox.models import AccountStatus
from sandbox.routes.instants import Instant

Text = Annotated[str, StringConstraints(max_length=1 << 30), WithJsonSchema({"type": "string"})]
"""A text of whole characters: half of one (a lone surrogate) is refused, with a 422.

pydantic looks into a text only where it has a limit.
"""

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

    name: Text | None = None
    category: Text | None = None
    description: Annotated[str, Field(max_length=8192)] | None = None
    logo_url: Text | None = None
    website_url: Text | None = None
    request_instructions: Text | None = None
    app_class_id: Text | None = None
    auth: dict[str, Any] | None = None
    settings: dict[str, Any] | None = None
    version: Text | None = None

    @model_validator(mode="after")
    def _custom_app_is_complete(self) -> Self:
        if self.app_class_id is None:
            for field in ("name", "category", "description"):
                if not (getattr(self, field) or "").strip():
                    raise ValueError(f"{field} is required for a custom app")
            check_category(self.category)
        return self


class AppInputUpdate(BaseModel):
    """Changes to an app; a null takes a field back to what it was when the app was made."""

    model_config = ConfigDict(extra="forbid")

    name: Text | None = None
    category: Text | None = None
    description: str | None = Field(None, max_length=1000)
    logo_url: Text | None = None
    website_url: Text | None = None
    request_instructions: str | None = Field(None, max_length=511)

    @model_validator(mode="after")
    def _category_is_known(self) -> Self:
        if self.name is not None and not self.name.strip():
            raise ValueError("name is blank")
        check_category(self.category)
        return self


class PermissionInput(TypedDict):
    """A permission held by an uploaded account."""

    unique_identifier: NotRequired[Text]
    type: NotRequired[Text]
    name: NotRequired[Text]


class AttributeInput(TypedDict):
    """A custom attribute of an uploaded account: `type` is its label, `name` its value."""

    unique_identifier: NotRequired[Text | None]
    type: NotRequired[Text]
    name: NotRequired[Text]


class AccountInput(TypedDict):
    """An uploaded account."""

    unique_identifier: Text | None
    email: NotRequired[Text | None]
    first_name: NotRequired[Text | None]
    last_name: NotRequired[Text | None]
    last_activity: NotRequired[Text | None]
    last_login: NotRequired[Text | None]
    status: NotRequired[AccountStatus | None]
    permissions: NotRequired[list[PermissionInput]]
    attributes: NotRequired[list[AttributeInput]]


class AccountsUpload(BaseModel):
    """All accounts of one app; an empty list is valid, and empties the app."""

    app_id: Text
    accounts: list[AccountInput] = []


class ActivityAccount(TypedDict):
    """Whose activity it was."""

    external_id: NotRequired[Text]
    email: NotRequired[Text | None]


def _names_somebody(account: ActivityAccount) -> ActivityAccount:
    names = (account.get("external_id"), account.get("email"))
    if not any(name and name.strip() for name in names):
        raise ValueError("neither an external_id nor an email")
    return account


class ActivityEvent(TypedDict):
    """What was done."""

    type: Literal["LOGIN", "ACTIVITY"]


class ActivityApp(TypedDict):
    """The app inside the source, when the source speaks of another app."""

    instance_identifier: Text


class ActivityRecord(TypedDict):
    """One event of one account."""

    account: Annotated[ActivityAccount, AfterValidator(_names_somebody)]
    event: ActivityEvent
    timestamp: Instant
    source_app_id: Text
    app: NotRequired[ActivityApp | None]


class ActivityRecordInput(BaseModel):
    """A batch of activity records."""

    records: list[ActivityRecord]
