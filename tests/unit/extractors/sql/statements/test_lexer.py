"""A query's parts are its text."""

from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.sql.statements.lexer import parts_of

ENGINES = (
    "postgresql", "mysql", "mariadb", "mssql", "oracle", "snowflake", "databricks", "sqlite",
    "duckdb", "db2",
)  # fmt: skip


@settings(deadline=None)
@given(st.text(alphabet="a'\"`$-/*#\\[]{};\n ", max_size=40), st.sampled_from(ENGINES))
def test_parts_are_the_text_whatever_it_is(text: str, engine: str) -> None:
    assert "".join(part for _, part in parts_of(text, engine)) == text
