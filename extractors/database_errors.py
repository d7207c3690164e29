"""What a database refused, by SQLSTATE or vendor's code, as one of our errors.

The database's own text is never in a message: it may quote a row or a bound value.
"""

from enum import StrEnum

from schemas.errors import (
    ConfigError,
    IngestError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
)


class Trouble(StrEnum):
    """What went wrong, and what to do about it."""

    LOGIN = (
        "the login was refused: check source.username, source.password, and whether the account "
        "must log in secured by TLS"
    )
    DATABASE = "there is no such database: check source.url"
    HOST = "the host's name is unknown: check source.url"
    TLS = "the server's certificate or its TLS was refused: check source.tls and source.url"
    CONNECTION = "the database cannot be reached, or the connection was lost"
    BUSY = "the database is out of a resource or shutting down: try again"
    CONFLICT = "the database chose this transaction to end a deadlock or conflict: try again"
    TIMEOUT = "the time limit passed: source.statement_timeout, and the query's plan"
    PRIVILEGE = "the login may not read this: grant it SELECT"
    QUERY = "the query was refused: a typo, or a table or column that is not there"
    WRITES = "the query writes, and a source is only read"
    VALUE = "a value could not be read or converted: cast it in the query"
    TRUNCATED = "a value was cut off"
    OTHER = "the database reported an error"


_UNFINISHED = {Trouble.CONNECTION, Trouble.TIMEOUT, Trouble.BUSY, Trouble.TRUNCATED}
_AGAIN = {Trouble.HOST, Trouble.CONNECTION, Trouble.BUSY, Trouble.CONFLICT}
_FILE_IS_WRONG = {Trouble.LOGIN, Trouble.DATABASE, Trouble.TLS, Trouble.WRITES}

_STATES = {
    "28": Trouble.LOGIN,
    "3D": Trouble.DATABASE,
    "08004": Trouble.CONNECTION,
    "08": Trouble.CONNECTION,
    "57014": Trouble.TIMEOUT,
    "HYT": Trouble.TIMEOUT,
    "70100": Trouble.TIMEOUT,
    "57": Trouble.BUSY,
    "53": Trouble.BUSY,
    "58": Trouble.BUSY,
    "40": Trouble.CONFLICT,
    "42501": Trouble.PRIVILEGE,
    "42502": Trouble.PRIVILEGE,
    "42": Trouble.QUERY,
    "37000": Trouble.QUERY,
    "S0": Trouble.QUERY,
    "25006": Trouble.WRITES,
    "22": Trouble.VALUE,
    "01004": Trouble.TRUNCATED,
}
_CODES = {
    # MySQL and MariaDB, which say 42000 or HY000 for many things
    ("mysql", 1044): Trouble.PRIVILEGE,
    ("mysql", 1045): Trouble.LOGIN,
    ("mysql", 1049): Trouble.DATABASE,
    ("mysql", 1142): Trouble.PRIVILEGE,
    ("mysql", 1143): Trouble.PRIVILEGE,
    ("mysql", 1317): Trouble.TIMEOUT,
    ("mysql", 1792): Trouble.WRITES,
    ("mysql", 1969): Trouble.TIMEOUT,
    ("mysql", 3024): Trouble.TIMEOUT,
    # SQL Server
    ("mssql", 208): Trouble.QUERY,
    ("mssql", 229): Trouble.PRIVILEGE,
    ("mssql", 230): Trouble.PRIVILEGE,
    ("mssql", 1205): Trouble.CONFLICT,
    ("mssql", 4060): Trouble.DATABASE,
    ("mssql", 18456): Trouble.LOGIN,
    # Oracle, whose table that one may not read is a table that is not there
    ("oracle", 942): Trouble.QUERY,
    ("oracle", 1013): Trouble.TIMEOUT,
    ("oracle", 1017): Trouble.LOGIN,
    ("oracle", 1031): Trouble.PRIVILEGE,
    ("oracle", 1456): Trouble.WRITES,
    ("oracle", 1555): Trouble.CONFLICT,
    ("oracle", 12154): Trouble.HOST,
    ("oracle", 12514): Trouble.DATABASE,
    ("oracle", 28000): Trouble.LOGIN,
    # DB2, which says 08 of a login, too
    ("db2", 1060): Trouble.LOGIN,
    ("db2", 30061): Trouble.DATABASE,
    ("db2", 30082): Trouble.LOGIN,
    # H2
    ("h2", 90013): Trouble.DATABASE,
    ("h2", 90096): Trouble.PRIVILEGE,
    ("h2", 90097): Trouble.WRITES,
    ("h2", 90146): Trouble.DATABASE,
}


def trouble_of(dialect: str, sqlstate: str | None, code: int | None = None) -> Trouble:
    """What a SQLSTATE and a vendor's code mean; the code decides where it is known.

    Args:
        dialect: mysql (MariaDB too), mssql, oracle, h2, or any other name.
        sqlstate: five characters, or None where the driver has none.
        code: the vendor's number, or None.
    """
    family = {"mariadb": "mysql", "sqlserver": "mssql"}.get(dialect, dialect)
    known = _CODES.get((family, abs(code or 0)))
    if known is not None:
        return known
    for length in (5, 3, 2):
        trouble = _STATES.get((sqlstate or "")[:length])
        if trouble is not None:
            return trouble
    return Trouble.OTHER


def database_error(
    what: str,
    trouble: Trouble,
    sqlstate: str | None = None,
    code: int | None = None,
    *,
    began: bool = False,
) -> IngestError:
    """The error to raise, with SQLSTATE and code in its one line.

    Args:
        what: the capability, and where: `list_accounts on db.example.com/hr`.
        trouble: see `trouble_of`.
        sqlstate: five characters, where there are any.
        code: the vendor's number; 0 is none.
        began: the query had been sent: what is lost then leaves its answer incomplete.
    """
    known = [f"SQLSTATE {sqlstate}"] if sqlstate else []
    known += [f"code {code}"] if code else []
    line = f"{what}: {trouble.value}" + (f" ({', '.join(known)})" if known else "")
    if trouble in _FILE_IS_WRONG:
        return ConfigError(line)
    if began and trouble in _UNFINISHED:
        return SourceIncompleteError(line)
    if trouble in _AGAIN or trouble is Trouble.TIMEOUT:
        return SourceUnavailableError(line)
    return SourceFormatError(line)
