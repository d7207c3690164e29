"""What a driver is told of a URL in the end, and what a URL is refused with."""

from typing import Any

import pytest
from hypothesis import strategies as st
from sqlalchemy import create_engine

from extractors.sql.urls.address import KEY
from extractors.sql.urls.parse import read_database_url
from schemas.errors import ConfigError

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)


def sent_to_driver(url: str, password: str | None = None) -> dict[str, Any]:
    """The arguments that the driver gets."""
    database = read_database_url(url)
    engine = create_engine(database.url)
    _, arguments = engine.dialect.create_connect_args(database.login_url(None, password))
    sent = {**arguments, **database.connect_args}
    # What SQLAlchemy adds by itself.
    return {name: sent[name] for name in sent if name not in {"context", "client_flag"}}


def refusal_of(url: str) -> str:
    """The one line that a URL is refused with."""
    with pytest.raises(ConfigError) as caught:
        read_database_url(url)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(KEY)
    assert caught.value.key == KEY
    return str(caught.value)
