"""What a URL's address adds to it: who logs in, and how long that may take."""

import pytest

from extractors.sql.urls.parse import read_database_url
from schemas.errors import ConfigError


def test_two_users_are_one_too_many() -> None:
    database = read_database_url("jdbc:postgresql://h/x?user=jo")
    assert database.login_url("jo", None).username == "jo"
    assert database.login_url(None, None).username == "jo"
    with pytest.raises(ConfigError, match=r"another user than source\.username"):
        database.login_url("al", None)


def test_a_limit_on_logging_in_is_the_url_s_or_ours() -> None:
    assert read_database_url("jdbc:postgresql://h/x").with_login_timeout(15).connect_args == {
        "connect_timeout": 15
    }
    own = read_database_url("jdbc:postgresql://h/x?loginTimeout=3").with_login_timeout(15)
    assert own.connect_args == {"connect_timeout": 3}
    assert read_database_url("jdbc:sqlite:x").with_login_timeout(15).connect_args == {}
