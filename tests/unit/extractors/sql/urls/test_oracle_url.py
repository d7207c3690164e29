"""What an Oracle JDBC URL says to python-oracledb."""

import pytest

from extractors.sql.urls.parse import read_database_url
from tests.unit.extractors.sql.urls.driver_arguments import sent_to_driver

_DESCRIPTION = (
    "(DESCRIPTION=(ADDRESS=(PROTOCOL=tcps)(HOST=h)(PORT=2484))(CONNECT_DATA=(SERVICE_NAME=s.x)))"
)


@pytest.mark.parametrize(
    ("text", "expected", "place"),
    [
        ("@h:1521:ORCL", {"dsn": "SID=ORCL"}, "h:1521/ORCL"),
        ("@//h:1522/svc.example", {"dsn": "SERVICE_NAME=svc.example"}, "h/svc.example"),
        ("@h/svc", {"dsn": "PORT=1521"}, "h/svc"),
        ("@tcps://h:2484/svc?wallet_location=/w", {"dsn": "tcps://h:2484/svc?wallet"}, "h/svc"),
        ("@//a:1,b:2/svc", {"dsn": "a:1,b:2/svc"}, "a,b/svc"),
        (f"@{_DESCRIPTION}", {"dsn": _DESCRIPTION}, "h/s.x"),
        ("@hr_prod?TNS_ADMIN=/etc/oracle", {"dsn": "hr_prod"}, "hr_prod"),
    ],
)
def test_an_oracle_url_reaches_what_it_reaches_from_java(
    text: str, expected: dict[str, str], place: str
) -> None:
    assert expected["dsn"] in sent_to_driver(f"jdbc:oracle:thin:{text}")["dsn"]
    assert read_database_url(f"jdbc:oracle:thin:{text}").place == place


def test_an_oracle_url_s_folder_and_limits_are_kept() -> None:
    database = read_database_url(
        "jdbc:oracle:thin:@hr?TNS_ADMIN=/etc/o&oracle.net.CONNECT_TIMEOUT=2500"
        "&oracle.jdbc.ReadTimeout=60000"
    )
    assert database.connect_args == {
        "dsn": "hr",
        "config_dir": "/etc/o",
        "tcp_connect_timeout": 3,
    }
    assert database.query_timeout_s == 60
