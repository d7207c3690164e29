"""The contracts of the canonical tables, as pandera models: strict, nothing coerced.

Each check has in its `error` the reason of a reject. A contract is checked on collected
frames: on a LazyFrame pandera looks at names and dtypes only.
"""

from typing import Annotated, ClassVar

import pandera.polars as pa
import polars as pl
from pandera.polars import PolarsData

from schemas.statuses import UPLOAD_STATUSES
from schemas.tables import Reason

DAMAGE = r"[\x00-\x1f\x7f-\x9f\u{FFFD}]"
_CONTROL_BUT_LINES = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u{FFFD}]"
_NOT_IN_EMAIL = r'@\s<>"(),:;\[\]\\\p{Cf}.'
EMAIL = (
    rf"^[^'{_NOT_IN_EMAIL}][^{_NOT_IN_EMAIL}]*(?:\.[^{_NOT_IN_EMAIL}]+)*"
    rf"@[^'{_NOT_IN_EMAIL}]+(?:\.[^'{_NOT_IN_EMAIL}]+)+$"
)

BLANK = Reason("blank", "is blank")
MISSING = Reason("missing", "is missing")
CONTROL = Reason("control_character", "has a control or replacement character")
NO_EMAIL = Reason("no_email", "is no e-mail address")
EMAIL_FAULTS = {
    r"\p{Cf}": "has an invisible character in it, such as a zero-width space",
    r"(?i)^(?:smtp|mailto|sip|x500):": "has a prefix (SMTP:, mailto:) before the address",
    r"[<>]": "has angle brackets around or in it",
    r"^['\"]|['\"]$": "has quotes around it",
    r"[;,.]$": "ends in a ; , or .",
    r"[;,]": "is several addresses, or has a ; or , in it",
    r"\.\.": "has two dots in a row",
}
"""By pattern, the first that fits: what is wrong with what is no e-mail address."""
NO_STATUS = Reason("unmapped_status", "has no mapping to a status")
NO_TYPE = Reason("unmapped_account_type", "has no mapping to user or service")
NO_PERSON = Reason("no_person", "neither an e-mail address nor both names")
NO_BOOLEAN = Reason("no_boolean", "is neither true nor false")
# n_failure_cases: pandera lists every failing value unless told not to, gigabytes where all rows
# fail; the mask is what is used.


def _matches(data: PolarsData, pattern: str, *, wanted: bool) -> pl.LazyFrame:
    matches = pl.col(data.key).str.contains(pattern)
    return data.lazyframe.select((matches if wanted else ~matches).fill_null(value=True))


class AccountsContract(pa.DataFrameModel):
    """Accounts, without the custom attributes (`accounts_contract` adds those)."""

    integration_specific_id: str
    email: str = pa.Field(nullable=True)
    given_name: str = pa.Field(nullable=True)
    family_name: str = pa.Field(nullable=True)
    username: str = pa.Field(nullable=True)
    user_status: str
    account_type: str = pa.Field(nullable=True)
    last_login: Annotated[pl.Datetime, "us", "UTC"] = pa.Field(nullable=True)
    last_activity: Annotated[pl.Datetime, "us", "UTC"] = pa.Field(nullable=True)

    class Config:
        """Strict: no column more, none less, none re-typed."""

        strict = True
        coerce = False

    @pa.check("integration_specific_id", error=BLANK, n_failure_cases=1)
    def _id_is_not_blank(cls, data: PolarsData) -> pl.LazyFrame:
        return _matches(data, r"\S", wanted=True)

    @pa.check("integration_specific_id", "email", "username", error=CONTROL, n_failure_cases=1)
    def _no_control_characters(cls, data: PolarsData) -> pl.LazyFrame:
        return _matches(data, DAMAGE, wanted=False)

    @pa.check("given_name", "family_name", error=CONTROL, n_failure_cases=1)
    def _no_control_but_lines(cls, data: PolarsData) -> pl.LazyFrame:
        return _matches(data, _CONTROL_BUT_LINES, wanted=False)

    @pa.check("email", error=NO_EMAIL, n_failure_cases=1)
    def _email_is_one(cls, data: PolarsData) -> pl.LazyFrame:
        return _matches(data, EMAIL, wanted=True)

    @pa.check("user_status", error=NO_STATUS, n_failure_cases=1)
    def _status_is_known(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key).is_in(UPLOAD_STATUSES))

    @pa.check("account_type", error=NO_TYPE, n_failure_cases=1)
    def _type_is_known(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key).is_in(["user", "service"]).fill_null(True))

    @pa.dataframe_check(error=NO_PERSON, n_failure_cases=1)
    def _someone_can_be_matched(cls, data: PolarsData) -> pl.LazyFrame:
        has_names = pl.col("given_name").is_not_null() & pl.col("family_name").is_not_null()
        return data.lazyframe.select(pl.col("email").is_not_null() | has_names)


class EntitlementsContract(pa.DataFrameModel):
    """Entitlements: held or not."""

    entitlement_type: str
    integration_specific_id: str
    integration_specific_resource_id: str
    label: str
    description: str = pa.Field(nullable=True)
    is_assignable: str = pa.Field(nullable=True)

    class Config:
        """Strict: no column more, none less, none re-typed."""

        strict = True
        coerce = False

    @pa.check(
        "integration_specific_id", "entitlement_type", "label", error=BLANK, n_failure_cases=1
    )
    def _not_blank(cls, data: PolarsData) -> pl.LazyFrame:
        return _matches(data, r"\S", wanted=True)

    @pa.check(
        "integration_specific_id",
        "integration_specific_resource_id",
        "entitlement_type",
        "label",
        error=CONTROL,
        n_failure_cases=1,
    )
    def _no_control_characters(cls, data: PolarsData) -> pl.LazyFrame:
        return _matches(data, DAMAGE, wanted=False)

    @pa.check("is_assignable", error=NO_BOOLEAN, n_failure_cases=1)
    def _is_a_boolean(cls, data: PolarsData) -> pl.LazyFrame:
        return _matches(data, "^(?:true|false)$", wanted=True)


class ResourcesContract(pa.DataFrameModel):
    """Resources. The global one, `""`, is implied and never a row."""

    resource_type: str
    integration_specific_id: str
    label: str
    description: str = pa.Field(nullable=True)

    class Config:
        """Strict: no column more, none less, none re-typed."""

        strict = True
        coerce = False

    @pa.check("integration_specific_id", "resource_type", "label", error=BLANK, n_failure_cases=1)
    def _not_blank(cls, data: PolarsData) -> pl.LazyFrame:
        return _matches(data, r"\S", wanted=True)

    @pa.check("integration_specific_id", "resource_type", "label", error=CONTROL, n_failure_cases=1)
    def _no_control_characters(cls, data: PolarsData) -> pl.LazyFrame:
        return _matches(data, DAMAGE, wanted=False)


class AssociationsContract(pa.DataFrameModel):
    """Associations as text. That both ends exist is checked against the other tables."""

    account_id: str
    integration_specific_entitlement_id: str
    integration_specific_resource_id: str

    class Config:
        """Strict: no column more, none less, none re-typed."""

        strict = True
        coerce = False

    @pa.check("account_id", "integration_specific_entitlement_id", error=BLANK, n_failure_cases=1)
    def _not_blank(cls, data: PolarsData) -> pl.LazyFrame:
        return _matches(data, r"\S", wanted=True)


class _Attribute:
    checks: ClassVar = [
        pa.Check(
            lambda data: _matches(data, _CONTROL_BUT_LINES, wanted=False),
            error=CONTROL,
            n_failure_cases=1,
        )
    ]


def accounts_contract(labels: list[str]) -> pa.DataFrameSchema:
    """The accounts' contract, with a nullable text column for each custom attribute."""
    columns = {label: pa.Column(str, nullable=True, checks=_Attribute.checks) for label in labels}
    return AccountsContract.to_schema().add_columns(columns)


# The contract of activity records, as a pandera model: strict, nothing coerced.

NOBODY = Reason("nobody", "neither an account's id nor an e-mail address")
NO_EVENT = Reason("unmapped_event", "has no mapping to LOGIN or ACTIVITY")


class ActivityContract(pa.DataFrameModel):
    """Activity records before they are known to be usable: an unread time is null here."""

    account_id: str = pa.Field(nullable=True)
    email: str = pa.Field(nullable=True)
    event_type: str = pa.Field(nullable=True)
    timestamp: Annotated[pl.Datetime, "us", "UTC"] = pa.Field(nullable=True)
    source_app_id: str
    app_instance_identifier: str = pa.Field(nullable=True)

    class Config:
        """Strict: no column more, none less, none re-typed."""

        strict = True
        coerce = False

    @pa.check("account_id", "email", "app_instance_identifier", error=CONTROL, n_failure_cases=1)
    def _no_control_characters(cls, data: PolarsData) -> pl.LazyFrame:
        damaged = pl.col(data.key).str.contains(DAMAGE)
        return data.lazyframe.select((~damaged).fill_null(value=True))

    @pa.check("email", error=NO_EMAIL, n_failure_cases=1)
    def _email_is_one(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key).str.contains(EMAIL).fill_null(value=True))

    @pa.check("event_type", error=NO_EVENT, n_failure_cases=1, ignore_na=False)
    def _event_is_known(cls, data: PolarsData) -> pl.LazyFrame:
        is_known = pl.col(data.key).is_in(["LOGIN", "ACTIVITY"])
        return data.lazyframe.select(is_known.fill_null(value=False))

    @pa.dataframe_check(error=NOBODY, n_failure_cases=1)
    def _someone_is_named(cls, data: PolarsData) -> pl.LazyFrame:
        has_id = pl.col("account_id").str.contains(r"\S").fill_null(value=False)
        return data.lazyframe.select(has_id | pl.col("email").is_not_null())


ACTIVITY_CONTRACT = ActivityContract.to_schema()
