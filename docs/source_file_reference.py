"""Writes docs/source-file.md from the models, so that it says what they do: `make docs`."""

import builtins
import sys
import types
import typing
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from schemas.source_file.activity import (
    ActivityApp,
    ActivityColumns,
    ActivityDatabase,
    ActivityQueries,
    EventTypeColumn,
)
from schemas.source_file.blocks import Activity, App, AppCreation, Poll, Schedule, Upload
from schemas.source_file.columns import (
    AccountTypeColumn,
    Case,
    Condition,
    StatusColumn,
    TextColumn,
    TimeColumn,
)
from schemas.source_file.delta import DirectoryDelta, SqlDelta
from schemas.source_file.file import SourceFile
from schemas.source_file.guards import Guards, PerEntitlement, Watched
from schemas.source_file.kinds.connector_source import ConnectorSource
from schemas.source_file.kinds.csv_source import ActivitySource, Completeness, CsvSource, Join
from schemas.source_file.kinds.directory_source import (
    ActiveDirectorySource,
    Branch,
    LdapSource,
    LdifSource,
)
from schemas.source_file.kinds.python_source import PythonSource, Transforms
from schemas.source_file.kinds.scim_source import ScimBasic, ScimOAuth, ScimSource
from schemas.source_file.kinds.sql_source import (
    Freshness,
    Partition,
    Queries,
    Query,
    SqlSource,
    Tls,
)
from schemas.source_file.logs import LogFormat
from schemas.source_file.mappings import (
    AccountColumns,
    AssociationColumns,
    EntitlementColumn,
    EntitlementColumns,
    LeftOut,
    NewestRow,
    ResourceColumns,
)
from schemas.source_file.quantities import Limit, duration_text
from schemas.source_file.secrets import Secret
from schemas.source_file.zones.logins import AzureZone, GcsZone, HttpsZone, S3Zone, SftpZone
from schemas.statuses import STATUS_OF

PLAIN: dict[object, str] = {
    str: "text",
    int: "a whole number",
    bool: "`true` or `false`",
    timedelta: "a duration",
    Limit: "a limit",
    typing.Self: "likewise",
}

TARGET = Path(__file__).with_name("source-file.md")

HEAD = """# The source file

One YAML file a source, in `sources/` of the workspace; its stem is the source's name. Generated
from the models by `make docs`: `lumos-ingest schema` prints the same as JSON Schema.

Every key but `app` and `source` has a default, and the defaults are the safe ones. A key that is
not listed here is an error, with its line. Every value is the text that stands there: `00012`, `no`
and `1.10` need no quotes. A key written twice, a tag, an anchor or an alias is an error. Paths are
relative to the workspace.

A duration is a number and a unit, `s`, `m`, `h` or `d`: `90s`, `36h`, `1h30m`. A limit is a whole
number, or a share: `25`, `10%`.
"""

SECTIONS: list[tuple[str, type[BaseModel]]] = [
    ("The file", SourceFile),
    ("app", App),
    ("app.create", AppCreation),
    ("source, of kind csv", CsvSource),
    ("source.complete", Completeness),
    ("source.join", Join),
    ("source.s3", S3Zone),
    ("source.gcs", GcsZone),
    ("source.azure", AzureZone),
    ("source.sftp", SftpZone),
    ("source.https", HttpsZone),
    ("source, of kind sql", SqlSource),
    ("source.queries", Queries),
    ("A query", Query),
    ("A query's partition", Partition),
    ("source.freshness, of kind sql", Freshness),
    ("source.delta, of kind sql", SqlDelta),
    ("source.tls", Tls),
    ("source, of kind ldap", LdapSource),
    ("source, of kind active_directory", ActiveDirectorySource),
    ("source, of kind ldif", LdifSource),
    ("source.users and source.groups", Branch),
    ("source.delta, of a directory", DirectoryDelta),
    ("source, of kind scim", ScimSource),
    ("source.basic", ScimBasic),
    ("source.oauth", ScimOAuth),
    ("source, of kind connector", ConnectorSource),
    ("source, of kind python", PythonSource),
    ("transform", Transforms),
    ("A secret", Secret),
    ("columns", AccountColumns),
    ("A column of text", TextColumn),
    ("A case", Case),
    ("A case's condition", Condition),
    ("columns.user_status", StatusColumn),
    ("columns.account_type", AccountTypeColumn),
    ("columns.last_login and columns.last_activity", TimeColumn),
    ("leave_out", LeftOut),
    ("several_rows", NewestRow),
    ("An item of entitlements", EntitlementColumn),
    ("entitlement_columns", EntitlementColumns),
    ("resource_columns", ResourceColumns),
    ("association_columns", AssociationColumns),
    ("guards", Guards),
    ("guards.per_entitlement", PerEntitlement),
    ("An item of guards.watched", Watched),
    ("upload", Upload),
    ("upload.poll", Poll),
    ("activity", Activity),
    ("activity.app", ActivityApp),
    ("activity.format", LogFormat),
    ("activity.source, of kind csv", ActivitySource),
    ("activity.source, of kind sql", ActivityDatabase),
    ("activity.source.queries", ActivityQueries),
    ("activity.format, of some logs", LogFormat),
    ("activity.columns", ActivityColumns),
    ("activity.columns.event_type", EventTypeColumn),
    ("schedule", Schedule),
]


def to_text() -> str:
    """The whole page."""
    parts = [HEAD]
    for title, model in SECTIONS:
        parts.append(
            f"## {title}\n\n{' '.join((model.__doc__ or '').split())}\n\n{_table(model)}\n"
        )
    known = ", ".join(
        f"`{name}`" + (f" (→ `{to}`)" if name != to else "") for name, to in STATUS_OF.items()
    )
    parts.append(f"## Statuses\n\nKnown in any case, without an entry under `values`: {known}.\n")
    return "\n".join(parts)


def _table(model: type[BaseModel]) -> str:
    rows = [
        f"| `{field.alias or name}` | {_kind(field.annotation)} | {_default(field)} | "
        f"{_escaped(field)} |"
        for name, field in model.model_fields.items()
    ]
    return "\n".join(["| key | is | default | |", "| --- | --- | --- | --- |", *rows])


def _kind(annotation: object) -> str:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        title = next(title for title, model in SECTIONS if model is annotation)
        return f"[{title}](#{_anchor(title)})"
    inside = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        annotation, inside = inside[0], typing.get_args(inside[0])
    match typing.get_origin(annotation):
        case typing.Literal:
            return " or ".join(f"`{one}`" for one in inside)
        case typing.Union | types.UnionType:
            return " or ".join(_kind(one) for one in inside if one is not type(None))
        case builtins.tuple:
            return f"a list; each {_kind(inside[0])}"
        case builtins.dict:
            return f"a mapping to {_kind(inside[1])}"
        case _:
            return PLAIN.get(annotation, "a value")


def _escaped(field: FieldInfo) -> str:
    return (field.description or "").replace("|", "\\|")


def _anchor(title: str) -> str:
    """The anchor that a heading gets where Markdown is shown."""
    return "".join(one for one in title.lower().replace(" ", "-") if one.isalnum() or one in "-_")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined or value is None or value in ((), {}, (Branch(),)):
        return ""
    if isinstance(value, BaseModel):
        column = getattr(value, "column", None)
        return f"`{column}`" if column else ""
    if isinstance(value, tuple):
        return " ".join(f"`{_written(one)}`" for one in value)
    if hasattr(value, "total_seconds"):
        return f"`{duration_text(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _written(item: BaseModel | str) -> str:
    """An item of a list as the file writes it."""
    if isinstance(item, str):
        return item or '""'
    return "{" + ", ".join(f"{key}: {value}" for key, value in item.model_dump().items()) + "}"


if __name__ == "__main__":
    TARGET.write_text(to_text(), "utf-8")
    sys.stdout.write(f"{TARGET.name} written\n")
