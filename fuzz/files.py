"""Targets that read an export: CSV, LDIF, workbooks, logs of activity."""

import io
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import xlsxwriter

from extractors.activity import Span, read_activity
from extractors.read import read_source
from fuzz.target import Target
from schemas.source_file.kinds.csv_source import ActivitySource, CsvSource
from schemas.source_file.kinds.directory_source import LdifSource
from schemas.source_file.logs import LogFormat, LogShape

_WORKSPACE = Path(tempfile.mkdtemp())
_NOW = datetime.now(UTC)

_CSV_WAYS: tuple[dict[str, object], ...] = (
    {},
    {"escape": "\\"},
    {"separator": "||"},
    {"encoding": "windows-1252", "separator": ";"},
    {"encoding": "utf-16"},
    {"header": False},
    {"skip_lines": 2},
    {"blank": ["\\N"], "quote": "'"},
)


def _written(name: str, data: bytes) -> None:
    (_WORKSPACE / name).write_bytes(data)


def csv(data: bytes) -> None:
    """A delimited file, in one of some dialects, by the first byte."""
    options = _CSV_WAYS[data[0] % len(_CSV_WAYS)] if data else {}
    _written("accounts.csv", data[1:])
    source = CsvSource.model_validate(
        {"kind": "csv", "accounts": "accounts.csv", "max_age": None, **options}
    )
    read_source(source, _WORKSPACE, now=_NOW, id_columns={"accounts": "id"})


def ldif(data: bytes) -> None:
    """An export of a directory, of either kind, by the first byte."""
    _written("x.ldif", data[1:])
    model = "active_directory" if data and data[0] & 1 else "ldap"
    source = LdifSource.model_validate(
        {"kind": "ldif", "file": "x.ldif", "max_age": None, "model": model}
    )
    read_source(source, _WORKSPACE, now=_NOW)


_PARTS = (
    "xl/worksheets/sheet1.xml",
    "xl/styles.xml",
    "xl/workbook.xml",
    "xl/sharedStrings.xml",
    "xl/_rels/workbook.xml.rels",
    "[Content_Types].xml",
)


def _workbook() -> dict[str, bytes]:
    """The members of a small workbook."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("Accounts")
    padded = book.add_format({"num_format": "00000"})
    for row, cells in enumerate([("id", "mail", "seen"), (7, "a@x", 45000.5), (8, "b@x", True)]):
        for column, cell in enumerate(cells):
            sheet.write(row, column, cell, padded if column == 0 and row else None)
    sheet.write_formula(3, 0, "=1+1")
    book.close()
    with zipfile.ZipFile(out) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


_BOOK = _workbook()


def _zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def xlsx(data: bytes) -> None:
    """A workbook of which one part is fuzzed, by the first byte, or the archive as a whole."""
    which = data[0] % (len(_PARTS) + 1) if data else 0
    whole = data[1:] if which == len(_PARTS) else _zipped({**_BOOK, _PARTS[which]: data[1:]})
    _written("accounts.xlsx", whole)
    source = CsvSource.model_validate({"kind": "csv", "accounts": "accounts.xlsx", "max_age": None})
    read_source(source, _WORKSPACE, now=_NOW, id_columns={"accounts": "id"})


_LOG_WAYS = ("jsonl", "json", "common_log", "csvlog", "csv", "auto")
_LOG_COLUMNS = ("actor.id", "published", "user", "time")


def log(data: bytes) -> None:
    """A log of activity, in one of its forms, by the first byte."""
    _written("log.txt", data[1:])
    form = LogFormat.model_validate(_LOG_WAYS[data[0] % len(_LOG_WAYS)] if data else "auto")
    source = ActivitySource(kind="csv", activity="log.txt", max_age=None)
    shape = LogShape(form, _LOG_COLUMNS)
    for _ in read_activity(source, _WORKSPACE, Span(), shape=shape, now=_NOW):
        pass


_LDIF = b"version: 1\n\ndn: uid=ada,dc=x\nuid: ada\ncn:: w5xuYWw=\n"
_UUID = b"objectClass: person\nentryUUID: 6f1c\n\n"
_GROUP = b"dn: cn=g,dc=x\nobjectClass: groupOfNames\nentryUUID: 77\nmember: uid=ada,dc=x\n\n"
_USER = (
    b"objectCategory: CN=Person,CN=Schema\nsAMAccountType: 805306368\nuserAccountControl: 512\n"
    b"objectClass: user\nobjectGUID:: AAECAwQFBgcICQoLDA0ODw==\nsAMAccountName: ada\n\n"
)
_ENDED = b"# search result\nsearch: 2\nresult: 0 Success\n\n# numEntries: 1\n"
_COMMON = b'10.0.0.1 - ada [10/Jul/2026:10:00:00 +0200] "GET / HTTP/1.1" 200 5 "-" "x"\n'

FILE_TARGETS = (
    Target(
        "csv",
        csv,
        (
            b'\0id,mail,note\n1,a@x,"a\nb"\n2,b@x,c\n',
            b"\1id;mail\r\n00012;a\\;b\r\n",
            b"\2id||mail\n1||a@x\n",
            b"\4" + "id,mail\n1,é\n".encode("utf-16"),
            b"\0\xef\xbb\xbfid\tmail\n1\ta@x\n",
        ),
        (b'"', b'""', b"\n", b"\r", b"\r\n", b",", b";", b"\t", b"||", b"\\", b"\0", b"\xff\xfe")
        + (b"\xe9", b"\xed\xa0\x80", b"1" * 400, b",\n" * 200, b'"\n' * 100, b"\x1f\x8b\x08\0"),
    ),
    Target(
        "ldif",
        ldif,
        (
            b"\0" + _LDIF + _UUID + _GROUP,
            b"\0" + _LDIF + _UUID + _GROUP + _ENDED.replace(b"numEntries: 1", b"numEntries: 2"),
            b"\1"
            + _LDIF
            + _USER
            + _GROUP.replace(b"OfNames", b"").replace(
                b"entryUUID: 77", b"objectGUID:: /wECAwQFBgcICQoLDA0ODw=="
            ),
        ),
        (
            b"dn: ",
            b"dn:: ",
            b"\n ",
            b"\n\n",
            b"#",
            b"changetype: modify\n",
            b":< file:///etc/passwd",
        )
        + (b"member: uid=ada,dc=x\n", b"objectClass: groupOfNames\n", b":: !!\n", b"\xff", b"\0")
        + (b"userAccountControl: 99999999999999999999\n", b"pwdEndTime: 99991231235959Z\n")
        + (b"accountExpires: -1\n", b"lastLogonTimestamp: 9223372036854775807\n"),
    ),
    Target(
        "xlsx",
        xlsx,
        tuple(bytes([n]) + _BOOK[part] for n, part in enumerate(_PARTS) if part in _BOOK)
        + (bytes([len(_PARTS)]) + _zipped(_BOOK),),
        (b"<", b">", b"</c>", b"<!DOCTYPE x>", b't="s"', b't="n"', b'r="XFD1048576"', b"&#0;")
        + (b"<v>1e400</v>", b"<v>99999999</v>", b"<a>" * 300, b's="9999"', b"PK\3\4", b"<v>-1</v>")
        + (b'r="A0"', b"../../x", b'date1904="1"', b'<mergeCell ref="A1:B2"/>', b"\xff"),
    ),
    Target(
        "log",
        log,
        (
            b'\0{"actor": {"id": "a"}, "published": "2026-07-01T10:00:00Z"}\n',
            b'\1[{"actor": {"id": "a"}}, {"user": 1}]',
            b'\1{"Records": [{"user": "a", "time": 5}]}',
            b"\2" + _COMMON,
            b"\5user,time\na,2026-07-01\n",
        ),
        (b"{", b"}", b"[", b"]", b'"', b":", b"\\ud800", b"1e999", b"-", b"\n", b"null", b"9" * 400)
        + (b"[" * 300, b'{"a":' * 300, b"\\", b"\0", b"\xff", b"NaN", b"\xe2\x80\xa8"),
    ),
)
