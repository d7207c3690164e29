"""Where each field of each table comes from, as a source file maps them."""

from pydantic import Field

from schemas.source_columns import AccountTypeColumn, StatusColumn, Strict, TextColumn, TimeColumn


class AccountColumns(Strict):
    """Where each field of an account comes from.

    A field that is not named is read from the column of its own name, where there is one.

    """

    integration_specific_id: TextColumn = TextColumn(column="integration_specific_id")
    email: TextColumn | None = None
    given_name: TextColumn | None = None
    family_name: TextColumn | None = None
    username: TextColumn | None = None
    user_status: StatusColumn | None = None
    account_type: AccountTypeColumn | None = None
    last_login: TimeColumn | None = None
    last_activity: TimeColumn | None = None


class EntitlementColumns(Strict):
    """Where each field of an entitlement comes from, in a file of entitlements."""

    integration_specific_id: TextColumn = TextColumn(column="integration_specific_id")
    entitlement_type: TextColumn | None = None
    integration_specific_resource_id: TextColumn | None = None
    label: TextColumn | None = None
    description: TextColumn | None = None
    is_assignable: TextColumn | None = None


class ResourceColumns(Strict):
    """Where each field of a resource comes from, in a file of resources."""

    integration_specific_id: TextColumn = TextColumn(column="integration_specific_id")
    resource_type: TextColumn | None = None
    label: TextColumn | None = None
    description: TextColumn | None = None


class AssociationColumns(Strict):
    """Where each field of an association comes from, in a file of associations."""

    account_id: TextColumn = TextColumn(column="account_id")
    integration_specific_entitlement_id: TextColumn = TextColumn(
        column="integration_specific_entitlement_id"
    )
    integration_specific_resource_id: TextColumn | None = None


class EntitlementColumn(Strict):
    """Entitlements kept in a column of the accounts: `{type: Role, column: roles}`."""

    type: str = Field(min_length=1, description="The entitlement type of every value.")
    column: str = Field(min_length=1, description="The accounts' column that holds them.")
    separator: str = Field(";", min_length=1, description="What stands between two of them.")
    prefix: str = Field(
        "", description="Put before each id, where two columns use the same value for two things."
    )
