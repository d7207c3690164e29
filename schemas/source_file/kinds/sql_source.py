"""A source of kind `sql`: a database, and one query a capability under its Lumos name."""

from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from schemas.source_file.columns import Strict, check_zone
from schemas.source_file.delta import SqlDelta
from schemas.source_file.quantities import Duration
from schemas.source_file.secrets import Secret

CAPABILITIES = (
    "validate_credentials",
    "list_accounts",
    "list_updated_accounts",
    "get_account",
    "list_entitlements",
    "list_resources",
    "find_entitlement_associations",
    "get_last_activity",
    "list_activity_records",
    "list_custom_attributes_schema",
)
"""The reading capabilities of Lumos's JDBC connector (its documentation, read 2026-08)."""

Engine = Literal["postgresql", "mysql", "mssql", "oracle", "snowflake", "databricks", "mongodb"]


class Partition(Strict):
    """A large table read in parts, of PostgreSQL at once: a number column, cut into ranges."""

    column: str = Field(min_length=1, description="A column of the query: whole numbers.")
    parts: int = Field(ge=2, le=64, description="How many ranges.")


class Query(Strict):
    """A query: a text, `{file: q.sql}`, or `{sql: …, partition: …}`."""

    sql: str | None = Field(None, min_length=1, description="The statement.")
    file: str | None = Field(None, min_length=1, description="A file with the statement.")
    partition: Partition | None = Field(None, description="For a large table: read in parts.")

    @model_validator(mode="before")
    @classmethod
    def _accept_a_plain_text(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        if isinstance(written, str) and not written.strip():
            raise ValueError("is empty: write the query, or leave it out")
        return {"sql": written} if isinstance(written, str) else written

    @model_validator(mode="after")
    def _check_one_text(self) -> "Query":
        if (self.sql is None) == (self.file is None):
            raise ValueError("give the statement or the file that holds it, one of the two")
        return self


class Queries(Strict):
    """One query a capability; the column labels are Lumos's own, in any case."""

    validate_credentials: Query | None = Field(None, description="Answers where the login works.")
    list_accounts: Query | None = Field(None, description="Every account.")
    list_updated_accounts: Query | None = Field(
        None, description="Accounts that changed since `{since}`: what `delta` reads."
    )
    get_account: Query | None = Field(None, description="One account, `{account_id}`.")
    list_entitlements: Query | None = Field(None, description="Every entitlement, held or not.")
    list_resources: Query | None = Field(None, description="What entitlements are scoped to.")
    find_entitlement_associations: Query | None = Field(None, description="Who holds what.")
    get_last_activity: Query | None = Field(None, description="Each account's last activity.")
    list_activity_records: Query | None = Field(
        None, description="Activity from `{since}` to `{until}`."
    )
    list_custom_attributes_schema: Query | None = Field(
        None, description="What the accounts' further columns are called."
    )


class Freshness(Strict):
    """How old the data may be, where the database may be a copy that is no longer fed."""

    query: Query = Field(
        description="One time: when the newest row was written, such as a max(changed_at)."
    )
    max_age: Duration = Field(description="Data whose newest row is older are refused.")


class Tls(Strict):
    """How the connection is secured, where the URL does not say it."""

    mode: Literal["verify", "unverified", "none"] = Field(
        "verify",
        description="verify: the server proves who it is; unverified trusts any certificate; none "
        "sends all in the open. Without `tls`, a server on this machine needs none.",
    )
    ca_file: str | None = Field(None, min_length=1, description="Authorities that are trusted.")
    certificate: str | None = Field(None, min_length=1, description="Our own certificate.")
    key: str | None = Field(None, min_length=1, description="The certificate's private key.")


class DatabaseOptions(Strict):
    """How a database is reached and read."""

    url: str | None = Field(
        None, min_length=1, description="A JDBC URL or a SQLAlchemy URL, without a password in it."
    )
    driver: Literal["auto", "odbc", "jdbc"] = Field(
        "auto",
        description="auto: the database's Python driver, or `jars` where it has none; odbc or "
        "jdbc: that way instead.",
    )
    dsn: str | None = Field(
        None, min_length=1, description="driver odbc: a DSN, or a connection string."
    )
    jars: tuple[str, ...] = Field((), description="The jars of a JDBC driver.")
    username: str | None = Field(None, min_length=1, description="Who logs in.")
    password: Secret | None = Field(None, description="The password's place.")
    token: Secret | None = Field(None, description="A token in the password's stead: cloud IAM.")
    tls: Tls | None = Field(None, description="How the connection is secured.")
    allow_procedures: bool = Field(
        False,
        description="Lets queries call procedures where no read-only transaction keeps these from "
        "writing.",
    )
    kerberos: bool = Field(False, description="Log in with the process's Kerberos ticket.")
    timezone: str | None = Field(
        None, description="The zone of timestamps that carry none; without it they are as written."
    )
    trim_ids: bool = Field(
        False, description="Take the blanks that CHAR columns pad with off the end of ids."
    )
    connect_timeout: Duration = Field(timedelta(seconds=15), description="For logging in.")
    statement_timeout: Duration = Field(timedelta(minutes=30), description="For each query.")

    @field_validator("connect_timeout", "statement_timeout")
    @classmethod
    def _check_limit(cls, limit: timedelta) -> timedelta:
        if limit < timedelta(seconds=1):
            raise ValueError("is at least 1s: without an end nothing would be noticed")
        return limit

    @field_validator("timezone")
    @classmethod
    def _check_zone(cls, name: str | None) -> str | None:
        return None if name is None else check_zone(name)


class SqlSource(DatabaseOptions):
    """Accounts in a database."""

    kind: Literal["sql"]
    queries: Queries = Field(Queries(), description="One query a capability.")
    discover: Engine | None = Field(
        None,
        description="The built-in reading of a database's own accounts and roles; `queries` then "
        "replace it one by one.",
    )
    freshness: Freshness | None = Field(
        None,
        description="Refuses data that are too old. A PostgreSQL standby that is behind its "
        "primary by more than max_age, or 1d without it, is refused of itself.",
    )
    delta: SqlDelta | None = Field(
        None,
        description="Reads only the accounts that list_updated_accounts names; `{}` is enough.",
    )

    @model_validator(mode="after")
    def _check_accounts_are_listed(self) -> "SqlSource":
        if self.discover is None and self.queries.list_accounts is None:
            raise ValueError("name the query list_accounts, or an engine to discover")
        return self

    @model_validator(mode="after")
    def _check_freshness_can_be_asked(self) -> "SqlSource":
        if self.freshness is not None and self.discover == "mongodb":
            raise ValueError("freshness is a query, and a MongoDB takes none: leave it out")
        return self

    @model_validator(mode="after")
    def _check_changes_are_told(self) -> "SqlSource":
        if self.delta is None:
            return self
        listed, updated = self.queries.list_accounts, self.queries.list_updated_accounts
        if listed is None or updated is None or self.discover == "mongodb":
            raise ValueError(
                "delta needs list_accounts and list_updated_accounts among the queries: name both, "
                "or leave delta out"
            )
        if updated.partition is not None:
            raise ValueError("list_updated_accounts takes no partition: leave it out")
        if self.timezone is None:
            raise ValueError(
                "delta needs timezone: times without a zone in list_updated_accounts are compared "
                "with {since} in it; say timezone: UTC if its times carry a zone"
            )
        return self
