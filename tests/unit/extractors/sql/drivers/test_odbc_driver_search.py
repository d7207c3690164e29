"""The ODBC driver for SQL Server: which is taken, and what FreeTDS is not trusted with."""

import pyodbc
import pytest
from sqlalchemy import create_engine

from extractors.sql.drivers.odbc_driver_search import mssql_driver, shipped_driver, with_odbc_driver
from extractors.sql.urls.parse import read_database_url
from schemas.errors import ConfigError


def _freetds() -> str:
    return "FreeTDS"


def test_microsoft_s_driver_from_its_wheel_is_found_and_loads() -> None:
    driver = shipped_driver()
    assert driver is not None
    assert driver.is_file()
    assert mssql_driver() == str(driver)
    database = with_odbc_driver(read_database_url("jdbc:sqlserver://127.0.0.1:1;loginTimeout=1"))
    assert database.url.query["driver"] == str(driver)
    (words,), _ = create_engine(database.url).dialect.create_connect_args(database.url)
    with pytest.raises(pyodbc.OperationalError) as caught:
        pyodbc.connect(words, timeout=1)
    # The driver was loaded, and spoke: nobody listens there.
    assert caught.value.args[0] in {"08001", "HYT00"}


def test_a_driver_that_is_named_is_kept() -> None:
    for url in (
        "mssql+pyodbc://h/x?driver=Own",
        "mssql+pyodbc:///?odbc_connect=DSN%3Dx",
        "mssql+pyodbc://h/x?dsn=x",
        "postgresql://h/x",
    ):
        database = read_database_url(url)
        assert with_odbc_driver(database, find_driver=_freetds) is database


@pytest.mark.parametrize(
    "url",
    [
        "jdbc:sqlserver://h;databaseName=x",
        "jdbc:sqlserver://h;databaseName=x;encrypt=true",
        "jdbc:sqlserver://h;databaseName=x;encrypt=strict;trustServerCertificate=true",
        "mssql://h/x",
    ],
)
def test_freetds_is_not_taken_where_a_certificate_is_to_be_checked(url: str) -> None:
    with pytest.raises(ConfigError, match=r"pip install '\.\[mssql\]'"):
        with_odbc_driver(read_database_url(url), find_driver=_freetds)


def test_freetds_encrypts_where_the_certificate_may_be_anyone_s() -> None:
    trusting = "jdbc:sqlserver://h:1444;databaseName=x;trustServerCertificate=true"
    query = with_odbc_driver(read_database_url(trusting), find_driver=_freetds).url.query
    assert query == {
        "driver": "FreeTDS",
        "TDS_Version": "7.4",
        "Encryption": "require",
        "port": "1444",
    }
    plain = read_database_url("jdbc:sqlserver://h;databaseName=x;encrypt=false")
    assert with_odbc_driver(plain, find_driver=_freetds).url.query["Encryption"] == "off"


def test_no_driver_at_all_is_named_with_the_command_that_installs_one() -> None:
    def none() -> str:
        raise ConfigError("no ODBC driver")

    with pytest.raises(ConfigError, match="no ODBC driver"):
        with_odbc_driver(read_database_url("jdbc:sqlserver://h"), find_driver=none)
