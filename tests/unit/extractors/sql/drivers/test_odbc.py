"""What an ODBC driver is told, by what it is called."""

import pytest
from pydantic import SecretStr

from extractors.sql.drivers.odbc import to_connection_string


def test_mariadbs_driver_is_told_how_long_a_server_may_be_silent() -> None:
    told = to_connection_string("DRIVER={MariaDB Unicode};SERVER=h", None, None, 30)
    assert told == "DRIVER={MariaDB Unicode};SERVER=h;READ_TIMEOUT=60"


def test_what_the_source_file_says_of_a_driver_stands() -> None:
    own = "DRIVER={MariaDB Unicode};SERVER=h;read_timeout=5"
    assert to_connection_string(own, None, None, 30) == own


@pytest.mark.parametrize(
    ("driver", "told"),
    [
        (
            "PostgreSQL Unicode",
            "UseDeclareFetch=1;Fetch=10000;KeepaliveTime=60;KeepaliveInterval=10",
        ),
        ("SQLite3", "NoCreat=1;BigInt=1"),
    ],
)
def test_a_driver_is_told_to_hand_over_whole_rows(driver: str, told: str) -> None:
    start = f"DRIVER={{{driver}}};Database=x"
    assert to_connection_string(start, None, None, 30) == f"{start};{told}"


def test_a_password_of_any_letters_stands_in_braces() -> None:
    told = to_connection_string("DSN=hr", "jo", SecretStr("p;w}d"), 0)
    assert told == "DSN=hr;UID=jo;PWD={p;w}}d}"
