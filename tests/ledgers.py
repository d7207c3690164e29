"""A ledger of each kind that it is kept in: SQLite, and a database of a private PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loaders.ledger.ledger import Ledger, open_ledger

pytest_plugins = ["tests.postgresql_server"]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.sqlite"
    return str(request.getfixturevalue("new_database")())


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with open_ledger(url) as ledger:
        yield ledger
