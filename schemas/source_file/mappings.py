"""Where each field of each table comes from, which rows are none, and which are of one account."""

from typing import Literal, Self

import polars as pl
from pydantic import Field, field_validator
from pydantic import model_validator as check_model

from schemas.source_file.columns import (
    AccountTypeColumn,
    StatusColumn,
    Strict,
    TextColumn,
    TimeColumn,
)


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


class LeftOut(Strict):
    """Rows that are none: `{column: Type, is: [Bot]}`, or `{line: "^Total"}`."""

    column: str | None = Field(None, min_length=1, description="A column of the accounts.")
    words: tuple[str, ...] = Field(
        (), alias="is", description="Its values that make a row none of the accounts, as written."
    )
    line: str | None = Field(
        None,
        min_length=1,
        description="A regular expression for a line of any table: what could not be split into "
        "columns as it stands, a row as its cells with commas between them.",
    )

    @check_model(mode="after")
    def _check_one_rule(self) -> Self:
        if (self.column is None) == (self.line is None):
            raise ValueError("name a column or a line, one of the two")
        if (self.column is None) == bool(self.words):
            raise ValueError("column goes with is, the values that are left out; line stands alone")
        return self

    @field_validator("line")
    @classmethod
    def _check_pattern(cls, pattern: str | None) -> str | None:
        try:
            pl.Series([""]).str.contains(pattern or "")
        except pl.exceptions.ComputeError:
            raise ValueError("is no regular expression (of Rust's regex)") from None
        return pattern


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
    """Entitlements kept in the accounts: values of a column, or a column an entitlement.

    `{type: Role, column: roles}`, or `{type: Module, columns: [Buyer], held: [X], not_held: [""]}`.
    """

    type: str = Field(min_length=1, description="The entitlement type of every value.")
    column: str | None = Field(
        None, min_length=1, description="The accounts' column that holds them."
    )
    separator: str = Field(";", min_length=1, description="What stands between two of them.")
    format: Literal["text", "json"] | None = Field(
        None,
        description="json: a cell is a JSON array of texts. Without it, a cell that begins with a "
        "bracket, or that says yes or no, is a reject; with text, it is a name.",
    )
    none: tuple[str, ...] = Field((), description="Words that mean none of them, in any case.")
    columns: tuple[str, ...] = Field(
        (), description="Columns that are an entitlement each, by their own names."
    )
    held: tuple[str, ...] = Field(
        (), description="Words in such a column that mean that it is held, in any case."
    )
    not_held: tuple[str, ...] = Field(
        ("",), description="Words that mean that it is not; any other word is a reject."
    )
    prefix: str = Field(
        "", description="Put before each id, where two columns use the same value for two things."
    )

    @check_model(mode="after")
    def _check_one_form(self) -> Self:
        if (self.column is None) == (not self.columns):
            raise ValueError("name a column that holds them, or columns that are one each")
        said = self.model_fields_set
        if self.columns and {"separator", "format", "none"} & said:
            raise ValueError("separator, format and none go with column")
        if self.column and {"held", "not_held"} & said:
            raise ValueError("held and not_held go with columns")
        if self.columns and not self.held:
            raise ValueError("columns need held, the words that mean that one is held")
        both = {word.casefold() for word in self.held} & {word.casefold() for word in self.not_held}
        if both:
            raise ValueError(f"{min(both)!r} is both held and not_held")
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("a column is there twice")
        if self.format == "json" and "separator" in said:
            raise ValueError("separator goes with text, not with format: json")
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """The accounts' columns that it reads."""
        return self.columns if self.column is None else (self.column,)


class NewestRow(Strict):
    """Of several rows of one account, the newest: `{newest: changed_at}`."""

    newest: TimeColumn = Field(description="The column that says which, as under last_login.")


SeveralRows = Literal["reject", "merge"] | NewestRow
"""What several rows of one account are."""
