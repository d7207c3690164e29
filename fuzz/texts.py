"""Targets that take a text apart: URLs, source files, filters, distinguished names."""

import contextlib
import re
from collections.abc import Callable, Iterable

from extractors.directory.dn import check_dn, is_below, normal_dn, rdn_values
from extractors.directory.filter import in_brackets, to_filter
from extractors.directory.ldif.match import to_match
from extractors.sql.urls.parse import check_no_secret, needs_java, read_database_url
from fuzz.target import Target
from schemas.errors import ConfigError
from schemas.source_file.file import to_source

CANARY = "c4n4ryPW"
_SECRET = re.compile(rf"(?<![a-z])password=\{{?{CANARY}|ada[:/]{CANARY}@", re.IGNORECASE)
"""A secret where one is written by mistake: no error has it."""

_ENTRY = {"cn": [b"Ada Quill", "Ünal".encode()], "uid": [b"ada"], "memberOf": [b"cn=a,dc=x"]}


def _text(data: bytes) -> str:
    """The text of an input; what is no UTF-8 is refused before it comes so far."""
    return data.decode("utf-8", "ignore")


def _quietly(work: Callable[[str], object], text: str) -> None:
    """Runs `work`, whose errors must not quote a secret."""
    try:
        work(text)
    except ConfigError as error:
        if CANARY in str(error) and _SECRET.search(text):
            raise AssertionError("an error quotes the secret") from error


def jdbc(data: bytes) -> None:
    """A database's URL."""
    text = _text(data)
    needs_java(text)
    _quietly(check_no_secret, text)
    _quietly(read_database_url, text)


def source_file(data: bytes) -> None:
    """A source file."""
    try:
        to_source(_text(data), "hr", "sources/hr.yaml")
    except ConfigError as error:
        if not str(error).startswith("sources/hr.yaml:"):
            raise AssertionError("an error of a source file names no line") from error


def ldap_filter(data: bytes) -> None:
    """A filter: parsed as whole, and asked of an entry."""
    text = _text(data)
    try:
        condition = to_filter(text, "source.users.filter")
        to_match(condition)(_ENTRY)
    except ConfigError:
        return
    if to_filter(in_brackets(text), "k") != condition:
        raise AssertionError("a filter in brackets is another one")


def dn(data: bytes) -> None:
    """Distinguished names: one in its normal form stays as it is."""
    text = _text(data)
    with contextlib.suppress(ConfigError):
        check_dn(text, "source.base_dn")
    normal = normal_dn(text)
    if normal_dn(normal) != normal:
        raise AssertionError("the normal form of a normal form is another one")
    rdn_values(text)
    is_below(text, text.partition(",")[2])


def _tokens(words: str, more: Iterable[str] = ()) -> tuple[bytes, ...]:
    return tuple(word.encode() for word in (*words.split(), *more))


URLS = (
    f"jdbc:postgresql://db.example:5432/hr?sslmode=verify-full&user=a&password={CANARY}",
    f"jdbc:sqlserver://;serverName=db;databaseName=hr;encrypt=true;password={{{CANARY}}}",
    f"jdbc:oracle:thin:ada/{CANARY}@//db.example:1521/HR",
    (
        "jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(PROTOCOL=TCPS)(HOST=h)(PORT=1))(CONNECT_DATA="
        "(SERVICE_NAME=s)))"
    ),
    f"jdbc:mysql://ada:{CANARY}@h1:1,h2:2/hr?useSSL=true&serverTimezone=UTC",
    "jdbc:mariadb://[::1]:3306/hr?sslMode=verify-full",
    "jdbc:snowflake://acct.example/?warehouse=w&db=d&role=r",
    "jdbc:db2://h:50000/hr:sslConnection=true;",
    "jdbc:databricks://h:443/default;httpPath=/sql/1.0;AuthMech=3",
    "jdbc:sqlite:data/hr.db",
    "jdbc:h2:mem:x;INIT=RUNSCRIPT FROM 'x'",
    f"postgresql+psycopg://ada:{CANARY}@h/db?sslmode=require",
    f"mssql+pyodbc:///?odbc_connect=DRIVER%3D%7Bx%7D%3BPWD%3D{CANARY}",
)
SOURCES = (
    "app: {name: HR}\nsource: {kind: csv, accounts: hr.csv}\n",
    (
        "app: {id: a}\nsource:\n  kind: sql\n  url: jdbc:postgresql://h/db\n  username: a\n"
        "  password: {env: P}\n  queries:\n    list_accounts: SELECT 1\n"
    ),
    (
        "app: {name: A}\nsource: {kind: ldap, host: h, username: u, password: {file: p}, base_dn: "
        "dc=x}\ncolumns: {email: [mail, upn]}\nschedule: {cron: '0 2 * * *'}\n"
    ),
    (
        "app: {name: A}\nsource: {kind: csv, accounts: a.csv, max_age: 36h}\ncolumns:\n  email: "
        "{template: '{login}@x'}\n  user_status: {cases: [{when: {column: e, format: '%d/%m/%Y', "
        "before: now}, then: DEPROVISIONED}], else: {column: s, values: {A: ACTIVE}}}\n"
        "entitlements: [{type: R, column: r, separator: ';'}]\nguards: {max_added_accounts: 25%, "
        "per_entitlement: {max_removed: 50%}, watched: [{label: '*', max_added: 1}], window: 7d}\n"
    ),
    "app: {name: A}\nsource: {kind: scim, url: https://h/scim/v2, token: {env: T}}\n",
    "app: {name: A}\nsource: {kind: connector, command: [x, y], settings: {a: {b: [1]}}}\n",
    "a: &a [x, x]\nb: &b [*a, *a]\n",
)
TEXT_TARGETS = (
    Target(
        "jdbc",
        jdbc,
        tuple(url.encode() for url in URLS),
        _tokens("jdbc: :// ? & ; : = @ { } ( ) , / [ ] %00 %ZZ 99999999999 -1", ("\0", "é")),
    ),
    Target(
        "source_file",
        source_file,
        tuple(text.encode() for text in SOURCES),
        _tokens("- : {} [] & * ! | > ' \" # % @ ? << null ~ 1e999 0x1F .inf 2026-13-45 -1 100%")
        + (b'"\\ud800"', b'"\\x7f"')
        + (b"\n", b"\n  ", b"\t", b"[" * 200, b"{a: " * 200, b"9" * 5000, b"\xe2\x80\xa8"),
    ),
    Target(
        "filter",
        ldap_filter,
        (
            b"(&(objectClass=person)(|(uid=a*b*c)(!(cn~=x))))",
            rb"(cn:caseExactMatch:=\28x\29)",
            b"(memberOf:1.2.840.113556.1.4.1941:=cn=a,dc=x)",
            b"userAccountControl>=512",
            b"(cn=*)",
        ),
        _tokens(r"( ) & | ! = >= <= ~= := * \ \2a \ff :dn: ;lang-en 1.2.3")
        + (b"(!" * 200, b"(&" * 200, b"\0", b"*" * 300),
    ),
    Target(
        "dn",
        dn,
        (
            b"uid=ada,ou=People,dc=x",
            rb"CN=Smith\, J\2e\20+SN=a ,O=#0403666f6f",
            rb'cn="a, b";o=\C3\9Cnal',
            b"2.5.4.3=a",
        ),
        _tokens(r', + = \ " # ; #04 \, \2C \C3 \xx < >') + (b" ", b"\0", b"+a=b" * 300),
    ),
)
