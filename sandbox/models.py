"""Shapes of the answers, as the Lumos contract states them: apps, accounts, jobs, pages, errors.

They are typed dictionaries because the contract has keys that may be absent but never null.
"""

from typing import Annotated, Generic, Literal, NotRequired, TypeVar

from pydantic import Field
from typing_extensions import TypedDict

AccountStatus = Literal[
    "DISCOVERED",
    "STAGED",
    "ACCESS_CREATED",
    "ACTIVE",
    "ARCHIVED",
    "SUSPENDED",
    "DEPROVISIONED",
    "MANUALLY_REMOVED",
    "ACCESS_REMOVED",
    "NON_CORPORATE_ACCOUNT",
    "WAITING_MANUAL_REMOVAL",
]
DiscoverySource = Literal[
    "GSUITE_QUICK_INBOX",
    "GSUITE_DEEP_INBOX",
    "MICROSOFT_DEEP_INBOX",
    "MICROSOFT_OAUTH",
    "MICROSOFT_GCC",
    "GSUITE_OAUTH",
    "OKTA",
    "MANUAL",
    "ONELOGIN",
    "ATLASSIAN",
    "GOOGLE_CLOUD",
    "LUMOS_INTEGRATION",
    "JUMPCLOUD",
    "CUSTOM",
]
UploadJobState = Literal["SUCCESS", "FAILURE", "RUNNING", "NOT_STARTED"]
ActivityJobState = Literal["RUNNING", "DONE"]
DateTime = Annotated[str, Field(json_schema_extra={"format": "date-time"})]

ItemT = TypeVar("ItemT")


class Page(TypedDict, Generic[ItemT]):
    """One page of a list."""

    items: list[ItemT]
    total: Annotated[int, Field(ge=0)] | None
    page: Annotated[int, Field(ge=1)] | None
    size: Annotated[int, Field(ge=1)] | None
    pages: NotRequired[Annotated[int, Field(ge=0)] | None]


class AppLinks(TypedDict):
    """Where an app is found."""

    self: str
    admin_url: str


class App(TypedDict):
    """An app, as it is answered when it is made or changed."""

    id: str
    app_class_id: str
    instance_id: str
    user_friendly_label: str
    status: Literal[
        "DISCOVERED", "IN_REVIEW", "NEEDS_REVIEW", "APPROVED", "BLOCKLISTED", "DEPRECATED"
    ]
    sources: list[DiscoverySource]
    allow_multiple_permission_selection: bool
    logo_url: NotRequired[str | None]
    website_url: NotRequired[str | None]
    request_instructions: NotRequired[str | None]
    description: NotRequired[str | None]
    category: NotRequired[str | None]
    disconnected: bool
    links: AppLinks
    sync_status: NotRequired[Literal["SYNCING", "SUCCESS", "FAILED"] | None]


class User(TypedDict):
    """A person in Lumos."""

    id: str
    email: NotRequired[str | None]
    given_name: NotRequired[str | None]
    family_name: NotRequired[str | None]
    status: NotRequired[Literal["STAGED", "ACTIVE", "SUSPENDED", "INACTIVE"] | None]


class UserWithCustomAttributes(User):
    """A person, as one of a list; the sandbox has no custom attributes."""

    custom_attributes: "NotRequired[dict[str, CustomAttribute] | None]"


class CustomAttribute(TypedDict):
    """A custom attribute of an app; the sandbox never has one."""

    type: Literal["TEXT", "USER", "SINGLE_SELECT"]
    value: NotRequired[str | list[User] | DateTime | int | None]


class AppWithCustomAttributes(App):
    """An app, as it is answered when it is read."""

    custom_attributes: NotRequired[dict[str, CustomAttribute] | None]


class Account(TypedDict):
    """An account, as it is read back: no names, no permissions, no attributes."""

    id: str
    app_id: str
    account_type: Literal["USER", "ROLE", "SERVICE"]
    status: NotRequired[AccountStatus | None]
    app: NotRequired[App | None]
    unique_identifier: str
    email: NotRequired[str | None]
    user_id: NotRequired[str | None]
    discovered_at: NotRequired[DateTime | None]
    last_login: NotRequired[DateTime | None]
    last_activity: NotRequired[DateTime | None]
    sources: NotRequired[list[DiscoverySource]]


class JobStateOutput(TypedDict):
    """An upload job."""

    job_id: str
    state: NotRequired[UploadJobState]


class SyncTaskOutput(TypedDict):
    """An activity job, which has no state for a failure."""

    job_id: str
    state: NotRequired[ActivityJobState | None]


class ActivityRecordOutput(TypedDict):
    """The answer to an activity post."""

    job: SyncTaskOutput
