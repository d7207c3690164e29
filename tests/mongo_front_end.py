"""Stands in for a MongoDB server in tests: real pymongo over the wire, answers as a server's.

An emulator: OP_MSG over a socket, collections by mongomock. usersInfo and rolesInfo answer from
documents in the shapes that MongoDB 7 gives (its manual, "usersInfo", "rolesInfo"). There is no
login mechanism, no TLS, no replica set.
"""

import itertools
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import bson
import mongomock

Document = dict[str, Any]
_OP_QUERY, _OP_MSG = 2004, 2013
_HELLO: Document = {
    "ismaster": True, "helloOk": True, "isWritablePrimary": True, "maxBsonObjectSize": 16777216,
    "maxMessageSizeBytes": 48000000, "maxWriteBatchSize": 100000, "minWireVersion": 0,
    "maxWireVersion": 21, "readOnly": False, "logicalSessionTimeoutMinutes": 30, "ok": 1.0,
}  # fmt: skip


@dataclass
class Mongo:
    """What the server holds, and how it is to fail.

    Attributes:
        users: as usersInfo gives them.
        roles: as rolesInfo gives them, of every database.
        client: the collections.
        asked: every command that came, by name.
        refuses: a command's name: the code it is refused with.
        cuts: commands at which the connection is dropped.
        may_list_all: whether the account has listDatabases on the cluster. Without, MongoDB 7 lists
            those it may read, or refuses where authorizedDatabases is false (manual,
            "listDatabases", read 2026-11).
    """

    users: list[Document] = field(default_factory=list)
    roles: list[Document] = field(default_factory=list)
    client: Any = field(default_factory=mongomock.MongoClient)
    asked: list[Document] = field(default_factory=list)
    refuses: dict[str, int] = field(default_factory=dict)
    cuts: set[str] = field(default_factory=set)
    may_list_all: bool = True
    port: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"mongodb://127.0.0.1:{self.port}/"


@contextmanager
def running_mongo(mongo: Mongo) -> Iterator[Mongo]:
    """Serves `mongo` on a free loopback port."""
    handler = type("Handler", (_Handler,), {"mongo": mongo})
    with _Server(("127.0.0.1", 0), handler) as server:
        mongo.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield mongo
        finally:
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


class _Cut(Exception):  # noqa: N818 - it is how a handler ends, not what went wrong
    pass


class _Handler(socketserver.StreamRequestHandler):
    mongo: Mongo
    _numbers = itertools.count(1)

    def handle(self) -> None:
        try:
            while header := self.rfile.read(16):
                length, request, _, kind = struct.unpack("<iiii", header)
                self._answer(kind, request, self.rfile.read(length - 16))
        except (_Cut, ConnectionError):
            return

    def _answer(self, kind: int, request: int, body: bytes) -> None:
        if kind == _OP_QUERY:  # the first hello of a connection
            out, kind = struct.pack("<iqii", 0, 0, 0, 1) + bson.encode(_HELLO), 1
        else:
            out = struct.pack("<IB", 0, 0) + bson.encode(self._run(_message(body)))
        header = struct.pack("<iiii", 16 + len(out), next(self._numbers), request, kind)
        self.wfile.write(header + out)

    def _run(self, command: Document) -> Document:
        name = next(iter(command))
        if name.lower() in {"hello", "ismaster"}:
            return _HELLO
        self.mongo.asked.append(command)
        if name in self.mongo.cuts:
            raise _Cut
        code = self.mongo.refuses.get(name, 59 if name not in _COMMANDS else None)
        if code is not None:
            return {"ok": 0.0, "errmsg": "not for the user secret-name", "code": code}
        return {"ok": 1.0, **_COMMANDS[name](self.mongo, command)}


def _message(body: bytes) -> Document:
    """The one document of an OP_MSG's section of kind 0."""
    if body[4] != 0:
        raise _Cut
    (length,) = struct.unpack("<i", body[5:9])
    return bson.decode(body[5 : 5 + length])


def _users_info(mongo: Mongo, command: Document) -> Document:
    wanted = command["usersInfo"]
    in_all = isinstance(wanted, dict) and wanted.get("forAllDBs")
    return {"users": [one for one in mongo.users if in_all or one["db"] == command["$db"]]}


def _roles_info(mongo: Mongo, command: Document) -> Document:
    return {"roles": [one for one in mongo.roles if one["db"] == command["$db"]]}


def _databases(mongo: Mongo, command: Document) -> Document:
    if not mongo.may_list_all:
        is_refused = command.get("authorizedDatabases") is False
        return {"ok": 0.0, "code": 13, "errmsg": "no"} if is_refused else {"databases": []}
    return {"databases": [{"name": name} for name in mongo.client.list_database_names()]}


def _nothing(mongo: Mongo, command: Document) -> Document:
    return {}


_COMMANDS: dict[str, Callable[[Mongo, Document], Document]] = {
    "usersInfo": _users_info,
    "rolesInfo": _roles_info,
    "listDatabases": _databases,
    "ping": _nothing,
    "endSessions": _nothing,
}
