"""Stands in for a SQL Server in tests: TDS 7.4 over DuckDB, for Microsoft's own ODBC driver.

An emulator: T-SQL is translated by sqlglot, and `sys.*` views are whatever tables the test puts
there. Encryption is off (the client says Encrypt=no), one result a batch, no MARS, no cursors,
texts of at most 4,000 characters; collations and permissions mean nothing.
"""

import re
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from tests.tds_values import COLLATION, cell, column, kind_of, parameter, short_text

_PROCEDURES = {10: "sp_executesql", 11: "sp_prepare", 12: "sp_execute", 13: "sp_prepexec",
               15: "sp_unprepare"}  # fmt: skip
_PASSED_OVER = re.compile(r"(?i)\s*(set|use|if @@trancount|begin tran|commit|rollback)\b")
_DONE, _DONE_IN_PROCEDURE, _DONE_PROCEDURE = 0xFD, 0xFF, 0xFE


@dataclass
class SqlServer:
    """What the server holds, and who may log in.

    Attributes:
        database: the name of the one database.
        tables: DuckDB, with a schema `dbo` and a schema `sys`.
        password: of any login.
        asked: every statement that came.
    """

    database: str = "Sales"
    password: str = "Secret-1"
    port: int = 0
    asked: list[str] = field(default_factory=list)
    tables: Any = field(default_factory=lambda: duckdb.connect(":memory:"))
    lock: Any = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Makes the database and its schemas."""
        self.tables.execute(f'ATTACH \':memory:\' AS "{self.database}"; USE "{self.database}"')
        self.tables.execute(
            f"CREATE SCHEMA sys; CREATE SCHEMA dbo; CREATE MACRO DB_NAME() AS '{self.database}'; "
            "CREATE TABLE sys.databases AS SELECT DB_NAME() AS name, 1 AS snapshot_isolation_state"
        )


@contextmanager
def running_sql_server(server: SqlServer) -> Iterator[SqlServer]:
    """Serves `server` on a free loopback port."""
    handler = type("Handler", (_Handler,), {"server_state": server})
    with _Server(("127.0.0.1", 0), handler) as listening:
        server.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
            with server.lock:  # a request may still be at it
                server.tables.close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


def to_duckdb(sql: str) -> str:
    """T-SQL as DuckDB says it: recursion is named, and collations mean nothing."""
    [tree] = sqlglot.parse(sql, read="tsql")
    if tree is None:
        raise ValueError("no statement")
    for found in tree.find_all(exp.With):
        found.set("recursive", True)
    return tree.transform(
        lambda node: node.this if isinstance(node, exp.Collate) else node
    ).sql("duckdb")  # fmt: skip


class _Handler(socketserver.StreamRequestHandler):
    server_state: SqlServer

    def setup(self) -> None:
        super().setup()
        self.prepared: dict[int, tuple[str, str]] = {}

    def handle(self) -> None:
        try:
            while message := self._message():
                self._send(self._answer(*message))
        except ConnectionError:
            return

    def _message(self) -> tuple[int, bytes] | None:
        data = b""
        while header := self.rfile.read(8):
            kind, status, length = struct.unpack(">BBH", header[:4])
            data += self.rfile.read(length - 8)
            if status & 1:
                return kind, data
        return None

    def _send(self, data: bytes) -> None:
        size = 4096 - 8
        parts = [data[at : at + size] for at in range(0, len(data), size)]
        for number, part in enumerate(parts, 1):
            is_last = number == len(parts)
            head = struct.pack(">BBHHBB", 4, is_last, len(part) + 8, 0, number & 255, 0)
            self.wfile.write(head + part)

    def _answer(self, kind: int, data: bytes) -> bytes:
        """By the kind of packet: a batch, a call, a cancellation, a transaction, a login."""
        body = data[int.from_bytes(data[:4], "little") :]
        match kind:
            case 0x01:
                return self._run(body.decode("utf-16-le"), [], _DONE)
            case 0x03:
                return self._procedure(body)
            case 0x06:
                return _done(_DONE, 0x20, 0)
            case 0x0E:
                return _transaction(int.from_bytes(body[:2], "little"))
        return _prelogin() if kind == 0x12 else _login(data, self.server_state)

    def _run(self, sql: str, values: list[Any], done: int) -> bytes:
        self.server_state.asked.append(sql)
        if _PASSED_OVER.match(sql):
            return _done(done, 0, 0)
        problem = None
        try:
            with self.server_state.lock:
                cursor = self.server_state.tables.cursor()
                cursor.execute(f'USE "{self.server_state.database}"')
                cursor.execute(to_duckdb(sql), values)
                return _result(cursor.description, cursor.fetchall(), done)
        except (duckdb.Error, sqlglot.errors.SqlglotError, ValueError) as error:
            problem = str(error)
        return _error(208 if "does not exist" in problem else 50000, problem, done)

    def _procedure(self, body: bytes) -> bytes:
        name, parameters = _call(body)
        end = b"\x79" + struct.pack("<i", 0)
        last = _done(_DONE_PROCEDURE, 0, 0)
        match name:
            case "sp_executesql":
                sql, declared = parameters[0], parameters[1] if len(parameters) > 1 else ""
                return self._run_with(sql, declared, parameters[2:]) + end + last
            case "sp_prepexec" | "sp_prepare":
                self.prepared[len(self.prepared) + 1] = parameters[2], parameters[1]
                values = parameters[3:] if name == "sp_prepexec" else None
                rows = b"" if values is None else self._run_with(*parameters[2:0:-1], values)
                return rows + end + _handle(len(self.prepared)) + last
            case "sp_execute":
                sql, declared = self.prepared[parameters[0]]
                return self._run_with(sql, declared, parameters[1:]) + end + last
            case "sp_unprepare":
                return end + last
        return _error(2812, f"Could not find stored procedure '{name}'.", _DONE_PROCEDURE)

    def _run_with(self, sql: str, declared: str | None, values: list[Any]) -> bytes:
        """Runs `sql` with what was declared of it as `@P1 int, …`, in the order it stands there."""
        names = re.findall(r"@(\w+)\s", f"{declared or ''} ")
        order = [names.index(name) for name in re.findall(r"@(\w+)", sql) if name in names]
        marked = re.sub(r"@(\w+)", lambda m: "?" if m[1] in names else m[0], sql)
        return self._run(marked, [values[at] for at in order], _DONE_IN_PROCEDURE)


def _call(body: bytes) -> tuple[str, list[Any]]:
    """A procedure's name and its parameters' values."""
    length = int.from_bytes(body[:2], "little")
    if length == 0xFFFF:
        number, at = int.from_bytes(body[2:4], "little"), 6
        name = _PROCEDURES.get(number, str(number))
    else:
        at = 2 + 2 * length + 2
        name = body[2 : 2 + 2 * length].decode("utf-16-le").lower()
    values = []
    while at < len(body):
        at += 1 + 2 * body[at] + 1  # the parameter's name, and whether it is an output
        value, at = parameter(body, at)
        values.append(value)
    return name, values


def _result(description: Any, rows: list[tuple[Any, ...]], done: int) -> bytes:
    kinds = [kind_of(str(one[1])) for one in description]
    out = [b"\x81" + struct.pack("<H", len(kinds))]
    out += [column(one[0], kind) for one, kind in zip(description, kinds, strict=True)]
    for row in rows:
        out.append(b"\xd1")
        out += [cell(kind, value) for kind, value in zip(kinds, row, strict=True)]
    return b"".join(out) + _done(done, 0x10, len(rows))


def _done(kind: int, status: int, count: int) -> bytes:
    status |= 1 if kind == _DONE_IN_PROCEDURE else 0
    return bytes([kind]) + struct.pack("<HHQ", status, 0xC1 if status & 0x10 else 0, count)


def _error(number: int, text: str, done: int) -> bytes:
    said = text[:1000].encode("utf-16-le")
    body = struct.pack("<iBB", number, 1, 16) + struct.pack("<H", len(said) // 2) + said
    body += short_text("STANDIN") + short_text("") + struct.pack("<I", 1)
    return b"\xaa" + struct.pack("<H", len(body)) + body + _done(done, 2, 0)


def _handle(number: int) -> bytes:
    """RETURNVALUE: the number of a prepared statement."""
    value = struct.pack("<IH", 0, 0) + b"\x26\x04\x04" + struct.pack("<i", number)
    return b"\xac" + struct.pack("<H", 0) + short_text("") + b"\x01" + value


def _prelogin() -> bytes:
    options = {0: b"\x10\x00\x03\xe8\x00\x00", 1: b"\x02", 2: b"\x00", 3: b"", 4: b"\x00"}
    at, head = len(options) * 5 + 1, b""
    for number, value in options.items():
        head += struct.pack(">BHH", number, at, len(value))
        at += len(value)
    return head + b"\xff" + b"".join(options.values())


def _login(data: bytes, server: SqlServer) -> bytes:
    at, length = struct.unpack("<HH", data[44:48])
    hidden = (byte ^ 0xA5 for byte in data[at : at + 2 * length])
    password = bytes((byte & 15) << 4 | byte >> 4 for byte in hidden).decode("utf-16-le")
    if password != server.password:
        return _error(18456, "Login failed for user.", _DONE)
    name = b"\x01\x74\x00\x00\x04" + short_text("Microsoft SQL Server") + b"\x10\x00\x03\xe8"
    return (
        _changed(1, server.database, "master")
        + b"\xe3" + struct.pack("<H", 8) + b"\x07\x05" + COLLATION + b"\x00"
        + b"\xad" + struct.pack("<H", len(name)) + name
        + _changed(4, "4096", "4096")
        + _done(_DONE, 0, 0)
    )  # fmt: skip


def _changed(what: int, new: str, old: str) -> bytes:
    body = bytes([what]) + short_text(new) + short_text(old)
    return b"\xe3" + struct.pack("<H", len(body)) + body


def _transaction(request: int) -> bytes:
    """ENVCHANGE of a transaction that begins (5), is committed (7) or rolled back (8)."""
    number = struct.pack("<Q", 1)
    body = {5: b"\x08\x08" + number + b"\x00", 7: b"\x09\x00\x08" + number,
            8: b"\x0a\x00\x08" + number}.get(request)  # fmt: skip
    change = b"" if body is None else b"\xe3" + struct.pack("<H", len(body)) + body
    return change + _done(_DONE, 0, 0)
