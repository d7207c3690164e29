"""A source: one YAML file, one frozen model, and the line of every key for when it is wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator

from schemas.errors import ConfigError, FunctionError, raise_as
from schemas.source_file.activity import ActivityDatabase
from schemas.source_file.blocks import Activity, App, Schedule, Upload
from schemas.source_file.columns import Named, Strict, TextColumn, TimeColumn, is_pattern
from schemas.source_file.guards import Guards
from schemas.source_file.kinds.connector_source import ConnectorSource
from schemas.source_file.kinds.csv_source import ActivitySource, CsvSource
from schemas.source_file.kinds.directory_source import ActiveDirectorySource, LdapSource, LdifSource
from schemas.source_file.kinds.python_source import PythonSource, Transforms
from schemas.source_file.kinds.scim_source import ScimSource
from schemas.source_file.kinds.sql_source import SqlSource
from schemas.source_file.mappings import (
    AccountColumns,
    AssociationColumns,
    EntitlementColumn,
    EntitlementColumns,
    LeftOut,
    ResourceColumns,
    SeveralRows,
)
from schemas.source_file.problems import problems_error
from schemas.source_file.quantities import Duration
from schemas.source_file.secrets import Secret
from schemas.source_file.yaml_lines import Path, to_yaml_document
from schemas.tables import ACCOUNT_FIELDS

AnySource = (
    CsvSource
    | SqlSource
    | LdapSource
    | ActiveDirectorySource
    | LdifSource
    | ScimSource
    | ConnectorSource
    | PythonSource
)
"""Whatever a source file may name, by its `kind`."""

_Located = TypeVar("_Located", ConfigError, FunctionError)


class SourceFile(Strict):
    """A source file.

    Every key but `app` and `source` has a default, and the defaults are the safe ones.
    """

    app: App = Field(description="The Lumos app that receives this source.")
    source: AnySource = Field(discriminator="kind", description="What is read, and how.")
    transform: Transforms | None = Field(
        None,
        description="A function of one's own between reading and judging, `module:function`: it "
        "gets the accounts' rows and returns them. docs/own-flows.md.",
    )
    columns: AccountColumns = Field(
        AccountColumns(), description="The canonical field of an account: the source's column."
    )
    attributes: dict[str, TextColumn] = Field(
        default_factory=dict, description="A custom attribute's label: the source's column."
    )
    entitlements: tuple[EntitlementColumn, ...] = Field(
        (), description="Entitlements kept in a column of the accounts."
    )
    entitlement_columns: EntitlementColumns = Field(
        EntitlementColumns(), description="The same, for a file of entitlements."
    )
    resource_columns: ResourceColumns = Field(
        ResourceColumns(), description="The same, for a file of resources."
    )
    association_columns: AssociationColumns = Field(
        AssociationColumns(), description="The same, for a file of associations."
    )
    unknown_columns: Literal["warn", "refuse", "attribute"] = Field(
        "warn",
        description="What to do with a column of the accounts that the file does not name; of kind "
        "sql or connector it becomes an attribute unless this says otherwise.",
    )
    let_go: tuple[str, ...] = Field(
        (),
        description="Fields and attributes that a column fed once and none feeds any more, such as "
        "`[email, Cost Center, associations.integration_specific_resource_id]`: without it, a run "
        "that misses one ends.",
    )
    guards: Guards = Field(Guards(), description="Bounds on a plan; a breach uploads nothing.")
    rejected_rows: Literal["keep_last", "leave_out", "fail"] = Field(
        "keep_last", description="What becomes of a row that breaks a rule."
    )
    keep_last_for: Duration = Field(
        timedelta(days=14),
        description="A record that has been kept this long for rows that cannot be read is held "
        "for a person; once let through, again after as long.",
    )
    leave_out: tuple[LeftOut, ...] = Field(
        (), description="Rows that are no accounts; how many is in a run's counts, as dropped."
    )
    several_rows: SeveralRows = Field(
        "reject",
        description="What several rows of one account are that differ: rejects; merged, where they "
        "differ in what is blank or in what they hold alone; or `{newest: changed_at}`, the newest "
        "by that column, the others counted as dropped.",
    )
    upload: Upload = Field(Upload(), description="How a snapshot is sent.")
    activity: Activity | None = Field(
        None, description="Who used what, when; the command activity sends it."
    )
    schedule: Schedule | None = Field(None, description="When the source is due.")
    labels: tuple[str, ...] = Field(
        (), description="Words by which the flow `nightly` takes some of the sources."
    )
    notify: tuple[Secret, ...] | None = Field(
        None,
        description="Who is told how runs of this source end: a place, or a list of places, where "
        "URLs of apprise lie, such as `{env: HR_NOTIFY}`; `[]` is nobody. Without it, whoever "
        "`LUMOS_INGEST_NOTIFY` names.",
    )

    @field_validator("notify", mode="before")
    @classmethod
    def _take_one_place(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        return [written] if isinstance(written, dict | str) else written

    @field_validator("attributes")
    @classmethod
    def _check_labels(cls, attributes: dict[str, TextColumn]) -> dict[str, TextColumn]:
        taken = sorted(set(attributes) & set(ACCOUNT_FIELDS))
        if taken:
            raise ValueError(f"{taken[0]!r} is a field of every account: choose another label")
        if "" in attributes:
            raise ValueError("an attribute needs a label")
        unusable = [label for label in attributes if is_pattern(label)]
        if unusable:
            raise ValueError(f"{unusable[0]!r} cannot be a label: choose another")
        return attributes

    @field_validator("let_go")
    @classmethod
    def _check_let_go(cls, let_go: tuple[str, ...]) -> tuple[str, ...]:
        if "user_status" in let_go:
            raise ValueError(
                "a status is not let go: if the source has none any more, say under columns "
                "user_status: {constant: ACTIVE}"
            )
        return let_go

    @model_validator(mode="after")
    def _check_where(self) -> "SourceFile":
        is_asked = self.activity is not None and (self.activity.asked or self.activity.leave_out)
        if is_asked and self.activity_origin is None:
            raise ValueError(
                "activity.where and leave_out are for logs: the accounts' own last login and last "
                "activity have no other columns"
            )
        return self

    @model_validator(mode="after")
    def _check_moments(self) -> "SourceFile":
        for block in (self.entitlement_columns, self.resource_columns, self.association_columns):
            fields = (getattr(block, name) for name in type(block).model_fields)
            if any(field.has_moment for field in fields if field is not None):
                raise ValueError("before and after are for accounts alone")
        return self

    @property
    def named_columns(self) -> frozenset[str]:
        """The columns of the accounts that the file names, as the source calls them."""
        written = (getattr(self.columns, name) for name in self.columns.model_fields_set)
        mapped = (*filter(None, written), *self.attributes.values(), *self.entitlements)
        names = {name for field in mapped for name in field.sources}
        return frozenset(names | set(self.newest_row.sources if self.newest_row else ()))

    @property
    def newest_row(self) -> TimeColumn | None:
        """What says which of several rows of one account is the newest; None where nothing does."""
        return None if isinstance(self.several_rows, str) else self.several_rows.newest

    @property
    def named_by_associations(self) -> frozenset[str]:
        """The accounts' columns that `association_columns` names, where both are one export."""
        one, other = (getattr(self.source, name, None) for name in ("accounts", "associations"))
        if one is None or one != other:
            return frozenset()
        written = self.association_columns
        fields = (getattr(written, name) for name in type(written).model_fields)
        return frozenset(name for field in fields if field for name in field.sources)

    @property
    def named(self) -> Named:
        """The columns of the accounts that the file names, and the fields it says how to fill."""
        written = self.columns.model_fields_set
        fields = (name for name in written if getattr(self.columns, name) is not None)
        ruled = (rule.column for rule in self.leave_out if rule.column is not None)
        status = self.columns.user_status
        status_columns = frozenset(status.sources if status else ())
        return Named(self.named_columns.union(ruled), frozenset(fields), status_columns)

    @property
    def activity_origin(
        self,
    ) -> ActivitySource | ActivityDatabase | SqlSource | ConnectorSource | None:
        """Where activity is read; None where the accounts' last login and activity are its source.

        So it is where the activity block names no source, and the source is no database with a
        query for it, and no connector with an activity block.
        """
        if self.activity is not None and self.activity.source is not None:
            return self.activity.source
        if isinstance(self.source, ConnectorSource) and self.activity is not None:
            return self.source
        if not isinstance(self.source, SqlSource):
            return None
        queries = self.source.queries
        has_query = queries.list_activity_records or queries.get_last_activity
        return self.source if has_query else None

    @property
    def activity_key(self) -> str:
        """The key under which it stands where activity is read: `activity`, or `source`."""
        return "source" if self.activity_origin is self.source else "activity"

    @property
    def makes_attributes(self) -> bool:
        """Whether columns that the file does not name become attributes."""
        is_stated = "unknown_columns" in self.model_fields_set
        return self.unknown_columns == "attribute" or (
            self.source.kind in {"sql", "connector"} and not is_stated
        )


@dataclass(frozen=True, slots=True)
class Source:
    """A source by name.

    Attributes:
        name: its file's stem.
        file: what the file says.
        path: the file's name, for messages.
        lines: where each key stands in it, from 1, by its path.
    """

    name: str
    file: SourceFile
    path: str
    lines: Mapping[Path, int] = field(repr=False, compare=False)

    def located_error(self, error: _Located, under: str = "source") -> _Located:
        """Returns the error with the file before it, and with the line of its key where it has one.

        `under` is the key whose `source` it is of, or `source` itself.
        """
        line = self._line_of(error.key, under) if error.key else None
        return type(error)(f"{self.path}:{line}: {error}" if line else f"{self.path}: {error}")

    def _line_of(self, key: str, under: str) -> int | None:
        """Returns the line of a key, written whole or from the block's `source` on, or of a query.

        Of a key of `source` that is not in the file, it is the line of the nearest key above it.
        """
        keys = tuple(key.split("."))
        block = ("source",) if under == "source" else (under, "source")
        within = keys[1:] if keys[:1] == ("source",) else keys
        paths = [(*block, *within), (*block, "queries", *within), keys]
        if len(keys) > 1 and keys[0] == "source":
            paths += [(*block, *within[:length]) for length in range(len(within), -1, -1)]
        return next((self.lines[path] for path in paths if path in self.lines), None)


def to_source(text: str, name: str, path: str) -> Source:
    """Returns the source that `text` describes.

    Raises:
        ConfigError: not YAML, an unknown key, a missing or wrong value; with file, line, key and
            reason.
    """
    document = to_yaml_document(text, path)
    if not isinstance(document.content, dict):
        raise ConfigError(f"{path}:1: a source file has the keys app and source; this one has none")
    file = raise_as(
        lambda: SourceFile.model_validate(document.content),
        {ValidationError: lambda error: problems_error(error, document, path, SourceFile)},
    )
    return Source(name, file, path, document.lines)


T = TypeVar("T")


def located(source: Source, work: Callable[[], T], under: str = "source") -> T:
    """Returns what `work`, which reads what stands under the key `under`, returns.

    Raises:
        ConfigError, FunctionError: as `work` raised it, with the source's file, and the line of
            the key it is of.
        IngestError: as `work` raised it.
    """
    return raise_as(
        work,
        {
            ConfigError: lambda error: source.located_error(error, under),
            FunctionError: lambda error: source.located_error(error, under),
        },
    )
