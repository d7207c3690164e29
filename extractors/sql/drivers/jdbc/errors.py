"""What the Java reader reports, or fails to, as errors of ours."""

from extractors.sql.drivers.jdbc.program import JdbcSettings
from extractors.sql.drivers.jdbc.protocol import Cut, Frame
from extractors.sql.errors.codes import Meaning, meaning_of
from extractors.sql.errors.connection import why_no_login
from extractors.sql.errors.translate import error_of
from extractors.sql.urls.address import KEY
from schemas.errors import (
    ConfigError,
    IngestError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
)


def place_of(settings: JdbcSettings) -> str:
    """Returns the URL's beginning, up to the database's name; what follows may be anything."""
    database = settings.url.removeprefix("jdbc:").partition(":")[0]
    return f"jdbc:{database}" if database.isalnum() else KEY


def frame_error(name: str, settings: JdbcSettings, frame: Frame, *, began: bool) -> IngestError:
    """Makes an error of a frame of letter X, or one that was not due.

    `began` says whether a query had been sent.
    """
    if frame.letter != "X":
        return SourceIncompleteError(f"{name}: the Java reader sent what nobody asked for")
    kind, sqlstate, code, *driver_text = frame.texts()
    refusals = {
        "no_driver": ConfigError(
            f"none of the jars holds a driver for {place_of(settings)}: name its jar",
            key="source.jars",
        ),
        "no_rows": SourceFormatError(f"{name}: the statement returns no rows: write a query"),
        "more_rows": SourceFormatError(
            f"{name}: returns more than one result: one alone would be the whole"
        ),
        "cut": SourceIncompleteError(
            f"{name}: values or rows were cut short: raise max_allowed_packet, select less of that "
            "column, or take the query's own limit out"
        ),
        "zone": SourceFormatError(
            f"{name}: the server does not know the source's timezone: load its time zone tables "
            "(mysql_tzinfo_to_sql), or leave timezone out"
        ),
        "max_rows": ConfigError(f"{name}: the URL limits the number of rows: take that out"),
        "memory": SourceIncompleteError(
            f"{name}: Java ran out of {settings.memory_mib} MiB of memory: select fewer columns"
        ),
        "encoding": SourceFormatError(
            f"{name}: a text in the result is not valid Unicode: mend it there"
        ),
    }
    if kind in refusals:
        return refusals[kind]
    if kind.startswith("driver:"):
        return SourceFormatError(
            f"{name}: the JDBC driver failed by itself ({kind.partition(':')[2]}): another version "
            "of its jar may do better"
        )
    refusal = why_no_login(driver_text[0]) if driver_text else None
    if refusal is not None:
        return ConfigError(f"{name}: {refusal}{f' (SQLSTATE {sqlstate})' if sqlstate else ''}")
    kinds: dict[str, Meaning] = {
        "timeout": "timeout" if began else "lost",
        "unknown_host": "host",
        "tls": "tls",
        "refused": "lost",
    }
    dialect = place_of(settings).removeprefix("jdbc:")
    meaning = kinds.get(kind) or meaning_of(dialect, sqlstate, int(code)) or "other"
    return error_of(name, meaning, _reason(kind, sqlstate, int(code)), is_login=not began)


def _reason(kind: str, sqlstate: str, number: int) -> str:
    codes = [f"SQLSTATE {sqlstate}"] if sqlstate else []
    codes += [f"error {number}"] if number else []
    return ", ".join(codes) or kind


def cut_error(name: str, cut: Cut) -> IngestError:
    """Makes an error of the end of the process, or its silence, in the middle of a query."""
    if cut.is_silent:
        return SourceIncompleteError(
            f"{name}: nothing came for longer than source.statement_timeout allows: raise it"
        )
    return SourceIncompleteError(f"{name}: the Java reader ended before the last row: run again")


def start_error(what: str, cut: Cut) -> IngestError:
    """Makes an error of Java's end, or its silence, before it was connected."""
    if cut.is_silent:
        return SourceUnavailableError(
            f"{what}: no connection within source.connect_timeout: run again"
        )
    return SourceUnavailableError(
        f"{what}: the Java reader ended before it was connected: run again"
    )
