"""`delta` on a database: which queries, zone and overlap it needs."""

import pytest

from schemas.errors import ConfigError
from schemas.source_file.file import to_source

FILE = """
app: {name: HR}
source:
  kind: sql
  url: sqlite:///a.db
  timezone: UTC
  delta: {}
"""


PARTITIONED = """
  queries:
    list_accounts: SELECT 1
    list_updated_accounts: {sql: SELECT 1, partition: {column: n, parts: 2}}
"""


BOTH = "  queries: {list_accounts: SELECT 1, list_updated_accounts: SELECT 1}\n"


@pytest.mark.parametrize(
    "wrong",
    [
        "  queries: {list_accounts: SELECT 1}\n",
        "  discover: postgresql\n",
        "  discover: postgresql\n  queries: {list_updated_accounts: SELECT 1}\n",
        f"  discover: mongodb\n{BOTH}",
        PARTITIONED,
    ],
)
def test_a_delta_without_its_queries_is_a_wrong_source_file(wrong: str):
    with pytest.raises(ConfigError, match="list_updated_accounts") as caught:
        to_source(FILE + wrong, "hr", "hr.yaml")
    assert "\n" not in str(caught.value)


def test_a_delta_with_its_queries_is_a_source_file():
    assert to_source(FILE + BOTH, "hr", "hr.yaml").file.source.kind == "sql"
    partitioned = BOTH.replace("SELECT 1,", "{sql: SELECT 1, partition: {column: n, parts: 2}},", 1)
    assert to_source(FILE + partitioned, "hr", "hr.yaml").file.source.kind == "sql"


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("  timezone: UTC\n", "", "timezone: UTC if its times carry a zone"),
        ("delta: {}", "delta: {overlap: 59s}", "1m"),
        ("delta: {}", "delta: {overlap: 0s}", "1m"),
    ],
)
def test_a_delta_without_a_zone_or_an_overlap_is_a_wrong_source_file(
    written: str, instead: str, said: str
):
    with pytest.raises(ConfigError, match=said) as caught:
        to_source((FILE + BOTH).replace(written, instead), "hr", "hr.yaml")
    assert "\n" not in str(caught.value)
    assert to_source(FILE.replace("{}", "{overlap: 1m}") + BOTH, "hr", "hr.yaml")
