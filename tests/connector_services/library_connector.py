"""A connector of Lumos's SDK (connector-py 4.280) for an invented library, without an upstream.

`python library_connector.py CAPABILITY --json-file FILE`, or `… dev http-server --port PORT`.
The settings say how many readers there are, and what goes wrong: `fault` is a status of the
upstream, `bug`, `stale` (the third page's token is out of date), `retyped` (an id that is a
number), or `circle` (pages that never end); `until` is a file: the fault is over once it is there,
and it is made by the first call that meets the fault.
"""

import typing as t
from datetime import UTC, datetime
from pathlib import Path

import httpx
from connector.cli import run_integration
from connector.client import get_page, get_settings
from connector.oai.capability import get_credential
from connector.oai.errors import HTTPHandler
from connector.oai.integration import DescriptionData, Integration
from connector_sdk_types import AuthModel, CredentialConfig, CredentialsSettings
from connector_sdk_types import generated as g
from connector_sdk_types.generated import StandardCapabilityName as Can
from pydantic import BaseModel

MOST = 1000
SHELVES = [
    g.FoundResourceData(
        integration_specific_id=f"shelf{n}", label=f"Shelf {n}", resource_type="SHELF"
    )
    for n in range(3)
]
CARDS = [
    g.FoundEntitlementData(
        entitlement_type="CARD", integration_specific_id="gold", label="Gold card",
        integration_specific_resource_id="",
    ),
    *(
        g.FoundEntitlementData(
            entitlement_type="KEY", integration_specific_id="key", label="Key", is_assignable=True,
            integration_specific_resource_id=shelf.integration_specific_id,
        )
        for shelf in SHELVES
    ),
]  # fmt: skip


class Settings(BaseModel):
    """What the connector is told besides its credential."""

    branch: str
    readers: int = 25
    fault: str | None = None
    until: str | None = None


def reader(n: int, wanted: t.Collection[str] | None) -> g.FoundAccountData:
    """The n-th reader; attributes come only where they are asked for."""
    has = {"floor": f"F{n % 4}", "badge": str(n)}
    return g.FoundAccountData(
        integration_specific_id=f"{n:05d}",
        email=f"reader{n}@example.com",
        given_name=f"Given{n}",
        family_name=f"Family{n}",
        username=f"reader{n}",
        user_status=list(g.AccountStatus)[n % 6],
        account_type=g.AccountType.SERVICE if n % 10 == 0 else g.AccountType.USER,
        custom_attributes={name: has[name] for name in wanted or () if name in has} or None,
        extra_data={"loans": n},
    )


def _meet_fault(args: t.Any, token: str | None = None) -> None:
    """Fails as the settings say; and looks whether the credential came."""
    settings = get_settings(args, Settings)
    get_credential(args, "library_token", g.TokenCredential)
    fault, until = settings.fault, Path(settings.until) if settings.until else None
    if fault in {None, "retyped", "circle"} or (fault == "stale" and token != "20"):
        return
    if until is not None:
        if until.exists():
            return
        until.touch()
    if fault in {"bug", "stale"}:
        raise NotImplementedError("canary-upstream")
    request = httpx.Request("GET", "https://library.example/readers?key=canary-upstream")
    answer = httpx.Response(int(str(fault)), request=request, json={"mail": "ada@example.com"})
    raise httpx.HTTPStatusError("upstream", request=request, response=answer)


def _page(args: t.Any, count: int) -> tuple[range, g.Page | None]:
    """The numbers on the page that is asked for, and the page to answer with: none at the end."""
    asked = get_page(args)
    _meet_fault(args, asked.token)
    start, size = int(asked.token or 0), min(asked.size or 10, MOST)
    is_circle = get_settings(args, Settings).fault == "circle"
    end = start + size
    following = g.Page(token=str(end), size=size) if end < count or is_circle else None
    return range(start, min(end, count)) if not is_circle else range(size), following


async def validate_credentials(args: g.ValidateCredentialsRequest) -> g.ValidateCredentialsResponse:
    _meet_fault(args)
    is_valid = get_credential(args, "library_token", g.TokenCredential).token != "expired"
    told = g.ValidatedCredentials(valid=is_valid, unique_tenant_id="library")
    return g.ValidateCredentialsResponse(response=told)


async def list_accounts(args: g.ListAccountsRequest) -> g.ListAccountsResponse:
    numbers, page = _page(args, get_settings(args, Settings).readers)
    accounts = [reader(n, args.request.custom_attributes) for n in numbers]
    if get_settings(args, Settings).fault == "retyped" and accounts:
        accounts[0] = accounts[0].model_construct(
            **{**dict(accounts[0]), "integration_specific_id": 7}
        )
    return g.ListAccountsResponse.model_construct(response=accounts, page=page)


async def list_updated_accounts(
    args: g.ListUpdatedAccountsRequest,
) -> g.ListUpdatedAccountsResponse:
    numbers, page = _page(args, 2)
    changed = [reader(n, args.request.custom_attributes) for n in numbers]
    told = g.UpdatedAccounts(accounts=changed, cursor="cursor-2")
    return g.ListUpdatedAccountsResponse(response=told, page=page)


async def list_resources(args: g.ListResourcesRequest) -> g.ListResourcesResponse:
    numbers, page = _page(args, len(SHELVES))
    return g.ListResourcesResponse(response=[SHELVES[n] for n in numbers], page=page)


async def list_entitlements(args: g.ListEntitlementsRequest) -> g.ListEntitlementsResponse:
    numbers, page = _page(args, len(CARDS))
    return g.ListEntitlementsResponse(response=[CARDS[n] for n in numbers], page=page)


async def find_entitlement_associations(
    args: g.FindEntitlementAssociationsRequest,
) -> g.FindEntitlementAssociationsResponse:
    numbers, page = _page(args, 2 * get_settings(args, Settings).readers)
    held = [(n // 2, CARDS[0] if n % 2 else CARDS[1 + n // 2 % len(SHELVES)]) for n in numbers]
    found = [
        g.FoundEntitlementAssociation(
            account_id=f"{n:05d}",
            integration_specific_entitlement_id=card.integration_specific_id,
            integration_specific_resource_id=card.integration_specific_resource_id,
        )
        for n, card in held
    ]
    return g.FindEntitlementAssociationsResponse(response=found, page=page)


async def get_last_activity(args: g.GetLastActivityRequest) -> g.GetLastActivityResponse:
    _meet_fault(args)
    events = [
        g.LastActivityData(account_id=one, event_type=kind, happened_at=at)
        for one in args.request.account_ids
        for kind, at in (
            ("last_login", "2026-07-01T08:00:00Z"),
            ("last_login", "2026-07-02T08:00:00+02:00"),
            ("last_activity", "2026-07-03T08:00:00Z"),
        )
    ]
    return g.GetLastActivityResponse(response=events)


async def list_custom_attributes_schema(
    args: g.ListCustomAttributesSchemaRequest,
) -> g.ListCustomAttributesSchemaResponse:
    kinds = (
        ("floor", "STRING", "ACCOUNT"),
        ("badge", "INTEGER", "ACCOUNT"),
        ("x", "STRING", "RESOURCE"),
    )
    schemas = [
        g.CustomAttributeSchema(
            name=name,
            attribute_type=g.CustomAttributeType[kind],
            customized_type=g.CustomAttributeCustomizedType[of],
        )
        for name, kind, of in kinds
    ]
    numbers, page = _page(args, len(schemas))
    listed = [schemas[n] for n in numbers if n < len(schemas)]
    return g.ListCustomAttributesSchemaResponse(response=listed, page=page)


async def get_data_recency(args: g.GetDataRecencyRequest) -> g.GetDataRecencyResponse:
    _meet_fault(args)
    at = datetime(2026, 7, 31, 1, tzinfo=UTC)
    recency = g.DataRecency(data={"list_accounts": at, "list_entitlements": None})
    return g.GetDataRecencyResponse(response=recency)


async def list_activity_records(
    args: g.ListActivityRecordsRequest,
) -> g.ListActivityRecordsResponse:
    _meet_fault(args)
    record = g.ActivityRecord(
        id="r1",
        activity_type=g.ActivityRecordActivityType("ACCOUNT_LOGIN"),
        timestamp="2026-07-20T10:00:00Z",
        actor=g.ActivityRecordActor(account_id="00001"),
        targets=[],
    )
    return g.ListActivityRecordsResponse(response=[record])


def _is_fine(_: t.Any) -> t.Any:
    told = g.ValidatedCredentialConfig(valid=True, validation_errors=[])
    return g.ValidateCredentialConfigResponse(response=told)


def made() -> Integration:
    """The connector with its capabilities."""
    credential = CredentialConfig(
        id="library_token", type=AuthModel.TOKEN, description="A token.", validation=_is_fine
    )
    integration = Integration(
        app_id="library-connector",
        version="0.0.1",
        credentials=[credential],
        credentials_settings=CredentialsSettings(allowed_credentials=[("library_token",)]),
        exception_handlers=[(httpx.HTTPStatusError, HTTPHandler, None)],
        description_data=DescriptionData(
            logo_url="", app_vendor_domain="library.example", user_friendly_name="Library",
            description="", categories=[],
        ),
        settings_model=Settings,
        resource_types=[g.ResourceType(type_id="SHELF", type_label="Shelf")],
        entitlement_types=[
            g.EntitlementType(type_id="CARD", type_label="Card", resource_type_id="", min=0),
            g.EntitlementType(type_id="KEY", type_label="Key", resource_type_id="SHELF", min=0),
        ],
    )  # fmt: skip
    integration.register_capabilities(
        {
            Can.VALIDATE_CREDENTIALS: validate_credentials,
            Can.LIST_ACCOUNTS: list_accounts,
            Can.LIST_UPDATED_ACCOUNTS: list_updated_accounts,
            Can.LIST_RESOURCES: list_resources,
            Can.LIST_ENTITLEMENTS: list_entitlements,
            Can.FIND_ENTITLEMENT_ASSOCIATIONS: find_entitlement_associations,
            Can.GET_LAST_ACTIVITY: get_last_activity,
            Can.LIST_CUSTOM_ATTRIBUTES_SCHEMA: list_custom_attributes_schema,
            Can.GET_DATA_RECENCY: get_data_recency,
            Can.LIST_ACTIVITY_RECORDS: list_activity_records,
        }
    )
    return integration


if __name__ == "__main__":
    run_integration(made())
