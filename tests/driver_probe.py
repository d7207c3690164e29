"""What the drivers of Databricks and DB2 themselves make of what we tell them, as JSON.

`python -m tests.driver_probe SITE` runs in our Python with the packages of the emulators' (SITE)
behind our own: these drivers are too large for everyone's environment (`tests.snowflake_emulator`).
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import make_url, text

from extractors.sql.connect.connect import open_session
from extractors.sql.connect.login import login_of, prepared
from extractors.sql.discovery.queries import discovery_queries
from extractors.sql.session.values import column_text
from extractors.sql.urls.db2 import connection_string
from extractors.sql.urls.parse import read_database_url
from schemas.errors import IngestError
from schemas.source_file.kinds.sql_source import DatabaseOptions
from schemas.source_file.secrets import no_secrets

WAREHOUSE = (
    "jdbc:databricks://h.example:443/raw;transportMode=http;ssl=1;AuthMech=3;UID=token;"
    "httpPath=/sql/1.0/warehouses/w;ConnCatalog=main;UserAgentEntry=lumos"
)
DB2 = "jdbc:db2://h.example:50001/HR:sslConnection=true;sslCertLocation=/ca.pem;currentSchema=APP;"


def databricks() -> dict[str, Any]:
    """What the connector is called with, and what it makes of an Arrow table."""
    from databricks.sql import client
    from databricks.sql.result_set import ResultSet

    database = prepared(read_database_url(WAREHOUSE))
    url, more = login_of(database, DatabaseOptions(url=WAREHOUSE), Path(), no_secrets)
    dialect_class: Any = url.get_dialect()
    module = dialect_class.import_dbapi()
    dialect = dialect_class(dbapi=module)
    _, arguments = dialect.create_connect_args(url)
    connection: Any = type("C", (), {"disable_pandas": more["_disable_pandas"]})
    result: Any = type("R", (), {"connection": connection})
    table = _arrow()
    result.description = [(name,) for name in table.column_names]
    rows = ResultSet._convert_arrow_table(result, table)
    return {
        "arguments": {**arguments, **more},
        "paramstyle": module.paramstyle,
        "cursor": [name for name in _CURSOR if hasattr(client.Cursor, name)],
        "dialect": dialect.name,
        "row": [type(rows[0]).__name__, isinstance(rows[0], tuple)],
        "rows": [[repr(cell) for cell in row] for row in rows],
        "texts": [column_text("c", list(cells)).to_list() for cells in zip(*rows, strict=True)],
        "compiled": _compiled(dialect),
    }


def _compiled(dialect: Any) -> dict[str, bool]:
    """Whether each built-in query is to the dialect what it is to us, without a bound value."""
    texts = discovery_queries("databricks")
    found = {name: text(sql).compile(dialect=dialect) for name, sql in texts.items()}
    return {name: str(one) == texts[name] and not one.params for name, one in found.items()}


_CURSOR = ("execute", "fetchmany", "fetchone", "close", "description", "nextset")


def _arrow() -> Any:
    import pyarrow as pa

    from tests.recorded.databricks.answers import SHAPES

    kinds = [
        pa.int64(), pa.decimal128(10, 2), pa.timestamp("us", "Etc/UTC"), pa.timestamp("us"),
        pa.date32(), pa.list_(pa.string()), pa.bool_(), pa.float64(), pa.float32(), pa.binary(),
        pa.map_(pa.string(), pa.string()), pa.struct([("x", pa.int64())]), pa.string(),
    ]  # fmt: skip
    cells = zip(*SHAPES.rows, strict=True)
    arrays = [pa.array(list(column), kind) for column, kind in zip(cells, kinds, strict=True)]
    return pa.table(arrays, names=[column.name for column in SHAPES.columns])


def db2() -> dict[str, Any]:
    """What IBM's driver is told, by us and by its own dialect, and what it says of dead servers."""
    import ibm_db_dbi

    database = prepared(read_database_url(DB2))
    url, more = login_of(database, DatabaseOptions(url=DB2, username="jo"), Path(), no_secrets)
    dialect_class: Any = url.get_dialect()
    module = dialect_class.import_dbapi()
    told = connection_string(url, more)
    keywords = {name: str(value) for name, value in database.connect_args.items()}
    theirs = dialect_class(dbapi=module).create_connect_args(url.set(query=keywords))[0]
    cut = make_url("db2+ibm_db://jo:a%3Bb@h/x")
    return {
        "told": told,
        "theirs": theirs[0],
        "paramstyle": module.paramstyle,
        "cursor": [name for name in _CURSOR if hasattr(ibm_db_dbi.Cursor, name)],
        "schema": ibm_db_dbi._retrieve_current_schema(told),
        "password_of_theirs": dialect_class().create_connect_args(cut)[0][0].partition("PWD=")[2],
    }


def dead(url: str) -> list[Any]:
    """The error of ours for a server that is not there, after how many seconds, and bare or not."""
    since = time.monotonic()
    source = DatabaseOptions(
        url=url, connect_timeout="3s", username="jo", password={"env": "NOWHERE"}
    )
    try:
        with open_session(source, Path(), lambda _secret: SecretStr("c4nary")):
            return []
    except IngestError as error:
        is_bare = error.__cause__ is None and error.__context__ is None
        return [type(error).__name__, str(error), round(time.monotonic() - since), is_bare]


if __name__ == "__main__":
    sys.path.append(sys.argv[1])
    if sys.argv[2] == "dead":
        found: Any = [dead(url) for url in sys.argv[3:]]
    else:
        found = {"databricks": databricks, "db2": db2}[sys.argv[2]]()
    sys.stdout.write(json.dumps(found, default=str))
