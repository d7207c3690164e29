"""Real JDBC: a small Java program in a process of its own reads, and its rows become frames here.

URL, user, password and queries go through its standard input; it is `jdbc/JdbcReader.java`.
"""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import polars as pl

from extractors.sql.drivers.jdbc.errors import cut_error, frame_error, place_of, start_error
from extractors.sql.drivers.jdbc.program import ENVIRONMENT, JdbcSettings, java_command
from extractors.sql.drivers.jdbc.protocol import Cut, Frame, receive, send, widen
from extractors.sql.session.timeouts import read_timeout_s
from extractors.sql.urls.address import KEY
from extractors.sql.urls.parse import check_no_secret
from schemas.errors import SourceFormatError, SourceIncompleteError, raise_as

__all__ = ["JdbcReader", "JdbcSettings", "Parameter", "open_jdbc"]

_START_S = 60.0
_FAREWELL_S = 30.0
Parameter = tuple[Literal["text", "timestamp"], str | datetime]
"""A bound value: a text, or a moment as an aware datetime."""


@dataclass(slots=True)
class JdbcReader:
    """An open connection in one read-only transaction.

    Attributes:
        product: the database's name and version.
        isolation: what its queries see of one another: `repeatable read` is one snapshot.
        is_read_only: the driver took the transaction to be one that only reads.
        refuses_read_only: it refuses to be set so once it is connected.
    """

    product: str
    isolation: str
    is_read_only: bool
    refuses_read_only: bool
    _process: "subprocess.Popen[bytes]"
    _settings: JdbcSettings
    _column_types: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def read(self, name: str, sql: str, parameters: Sequence[Parameter] = ()) -> pl.DataFrame:
        """Reads every row of a query: text columns under the labels as the database gives them.

        null is NULL, '' an empty text; numbers have no exponent, a float no empty fraction, moments
        are ISO 8601 (`…Z` where they have a zone), bytes lower-case hex, booleans true and false.

        Args:
            name: the query's name for messages.
            sql: one statement, with `?` for each parameter.
            parameters: what is bound, in order.

        Raises:
            SourceIncompleteError: the process, the connection or the query ended before its last
                row, or the rows that came are not as many as were sent.
            SourceUnavailableError: the connection was lost before the query began.
            SourceFormatError: the query was refused, two columns have one label, or a value cannot
                be told as text.
            ConfigError: the query writes.
        """

        def ask() -> pl.DataFrame:
            send(self._process, [sql, *_bound(parameters)])
            return self._answer(name)

        return raise_as(ask, {Cut: lambda cut: cut_error(name, cut)})

    def column_types(self, name: str) -> tuple[str, ...]:
        """Returns the database's names of the types of a query's columns, once it has been read."""
        return self._column_types[name]

    def _answer(self, name: str) -> pl.DataFrame:
        limit_s = read_timeout_s(self._settings.query_timeout_s)
        frames: list[pl.DataFrame] = []
        labels: list[str] = []
        while True:
            frame = receive(self._process, limit_s)
            match frame.letter:
                case "H":
                    labels, self._column_types[name] = _columns(name, frame)
                case "D":
                    frames.append(_rows(frame, labels))
                case "E":
                    return _whole(name, frames, labels, int(frame.content))
                case _:
                    raise frame_error(name, self._settings, frame, began=True)


@contextmanager
def open_jdbc(settings: JdbcSettings) -> Iterator[JdbcReader]:
    """Opens a connection for all queries of a source: one transaction, rolled back at the end.

    Raises:
        ConfigError: no Java, a jar that is not there, no driver for the URL, a login refused, or a
            password in the URL.
        SourceUnavailableError: the database could not be reached.
    """
    check_no_secret(settings.url)
    command = java_command(settings)
    process = subprocess.Popen(  # noqa: S603 - our own program, and no shell
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        env={**ENVIRONMENT, **settings.environment},
        start_new_session=True,
    )
    try:
        widen(process)
        yield _connected(process, settings)
        _end(process)
    finally:
        _stop(process)


def _connected(process: "subprocess.Popen[bytes]", settings: JdbcSettings) -> JdbcReader:
    what = place_of(settings)
    password = settings.password.get_secret_value() if settings.password else None
    message = [settings.url, settings.username, password, str(settings.login_timeout_s)]
    message += [str(settings.query_timeout_s), str(settings.fetch_rows), settings.zone]
    message += [text for pair in settings.properties.items() for text in pair]

    def ask() -> Frame:
        send(process, message)
        return receive(process, _START_S + settings.login_timeout_s)

    frame = raise_as(ask, {Cut: lambda cut: start_error(what, cut)})
    if frame.letter != "R":
        error = frame_error(what, settings, frame, began=False)
        error.key = error.key or (KEY if what == KEY else None)
        raise error
    product, version, _, _, isolation, *truths = frame.texts()
    is_read_only, is_refused = (truth == "true" for truth in truths)
    return JdbcReader(
        f"{product} {version}", isolation, is_read_only, is_refused, process, settings
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Lets the reader roll back and leave; a query that failed has ended it before."""
    try:
        send(process, [])
        process.wait(_FAREWELL_S)
    except (Cut, subprocess.TimeoutExpired):
        return


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _bound(parameters: Sequence[Parameter]) -> Iterator[str]:
    for kind, value in parameters:
        yield kind
        if isinstance(value, datetime):
            yield value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        else:
            yield value


def _columns(name: str, frame: Frame) -> tuple[list[str], tuple[str, ...]]:
    texts = frame.texts()
    labels = texts[0::2]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise SourceFormatError(
            f"{name}: two columns with the label {twice[0]}: give each its own with AS"
        )
    return labels, tuple(texts[1::2])


def _rows(frame: Frame, labels: list[str]) -> pl.DataFrame:
    """Reads rows of CSV, all quoted but NULL; the first column only keeps lines from being void."""
    rows = pl.read_csv(
        frame.content,
        has_header=False,
        schema={str(place): pl.String for place in range(len(labels) + 1)},
    )
    return rows.drop("0").rename({str(at + 1): label for at, label in enumerate(labels)})


def _whole(name: str, frames: list[pl.DataFrame], labels: list[str], sent: int) -> pl.DataFrame:
    rows = pl.concat(frames) if frames else pl.DataFrame(schema=dict.fromkeys(labels, pl.String))
    if rows.height != sent:
        raise SourceIncompleteError(
            f"{name}: {sent} rows were read and {rows.height} arrived: nothing is uploaded"
        )
    return rows
