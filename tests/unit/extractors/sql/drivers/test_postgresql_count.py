"""A COPY is whole where as many rows arrived as the server says it sent."""

import pytest

from extractors.sql.drivers.postgresql import check_count
from schemas.errors import SourceIncompleteError


@pytest.mark.parametrize("count", [0, 1, 2, 1_000_000])
def test_as_many_rows_must_arrive_as_were_sent(count: int):
    check_count("accounts", sent=count, arrived=count)
    for arrived in {0, count - 1, count + 1} - {count, -1}:
        with pytest.raises(SourceIncompleteError) as caught:
            check_count("accounts", sent=count, arrived=arrived)
        wanted = f"accounts: the server sent {count} rows, {arrived} arrived: run again"
        assert str(caught.value) == wanted
