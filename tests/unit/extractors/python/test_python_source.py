"""A source that a function reads: what the function gets, and what it may return."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from extractors.python.request import ReadRequest
from extractors.read import probe_source, read_source
from schemas.errors import ConfigError, FunctionError, SourceIncompleteError
from schemas.raw import Raw, ReaderState
from schemas.source_file.file import to_source
from schemas.source_file.kinds.python_source import PythonSource
from schemas.source_file.secrets import Secret

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
HEAD = "import polars as pl\nfrom lumos_ingest import *\n"


def resolve(secret: Secret) -> SecretStr:
    return SecretStr(f"the secret of {secret.env}")


def read(workspace: Path, body: str, options: str = "{}", state: ReaderState | None = None) -> Raw:
    """What a function with this body returns."""
    (workspace / "reading.py").write_text(f"{HEAD}def people(request):\n    {body}\n", "utf-8")
    text = f"app: {{name: X}}\nsource: {{kind: python, read: reading:people, options: {options}}}\n"
    source = to_source(text, "x", "sources/x.yaml").file.source
    return read_source(source, workspace, now=NOW, resolve=resolve, state=state)


def test_a_function_gets_options_workspace_clock_secrets_and_state(tmp_path: Path):
    body = """given = [
        request.options["pages"], *request.options["teams"], str(request.workspace),
        request.now.isoformat(), request.state.marks["until"],
        request.resolve(request.options["token"]).get_secret_value(),
    ]
    return raw_of(accounts=pl.DataFrame({"given": given}), proof="all")"""
    options = "{pages: 007, teams: [a, b], token: {env: HR_TOKEN}}"
    raw = read(tmp_path, body, options, ReaderState({"until": "noon"}, {}))
    assert raw.accounts.rows["given"].to_list() == [
        *("007", "a", "b", str(tmp_path), NOW.isoformat(), "noon", "the secret of HR_TOKEN")
    ]


def test_a_function_cannot_change_what_the_next_read_gets(tmp_path: Path):
    body = """teams = request.options["teams"]
    teams.append("z")
    return raw_of(accounts=pl.DataFrame({"team": teams}), proof="all")"""
    source = PythonSource(kind="python", read="reading:people", options={"teams": ["a"]})
    read(tmp_path, body, "{teams: [a]}")
    for _ in range(2):
        raw = read_source(source, tmp_path, now=NOW)
        assert raw.accounts.rows["team"].to_list() == ["a", "z"]


def test_a_secret_that_is_not_there_is_told_by_its_option(tmp_path: Path):
    def nowhere(_: Secret) -> SecretStr:
        raise ConfigError("HR_TOKEN is not set")

    (tmp_path / "reading.py").write_text(
        f"{HEAD}def people(request):\n    request.resolve(request.options['token'])\n", "utf-8"
    )
    options = {"pages": "1", "token": {"env": "HR_TOKEN"}}
    source = PythonSource(kind="python", read="reading:people", options=options)
    with pytest.raises(ConfigError, match=r"^source\.options\.token: HR_TOKEN is not") as caught:
        read_source(source, tmp_path, now=NOW, resolve=nowhere)
    assert caught.value.key == "source.options.token"


@pytest.mark.parametrize("place", ["sesame", "{env: A, file: b}", "{envy: A}"])
def test_a_secret_that_names_no_place_is_a_wrong_source_file(tmp_path: Path, place: str):
    with pytest.raises(
        ConfigError, match=r"^source.options.pass: a secret's place is written \{env:"
    ):
        read(tmp_path, 'request.resolve(request.options["pass"])', f"{{pass: {place}}}")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("pass", "source.read: reading:people returned a NoneType, not Raw: end it with return"),
        ('return pl.DataFrame({"a": [1]})', "returned a DataFrame, not Raw"),
        (
            'return raw_of(accounts=pl.DataFrame({"a": [1]}))',
            "source.read: the read has no proof: say what shows",
        ),
        (
            'return raw_of(accounts=pl.DataFrame({"a": [[1]]}), proof="all")',
            "source.read: raw_of: accounts: column 'a' is List",
        ),
        (
            """import dataclasses
    raw = raw_of(accounts=pl.DataFrame({"a": [1]}), proof="all")
    return dataclasses.replace(raw, proof=())""",
            "source.read: reading:people returned a Raw that cannot be used: the read has no proof",
        ),
    ],
)
def test_what_is_no_whole_read_is_the_functions_failure(tmp_path: Path, body: str, said: str):
    with pytest.raises(FunctionError) as error:
        read(tmp_path, body)
    assert said in str(error.value)


def test_a_read_that_the_function_finds_not_whole_fails_as_it_says(tmp_path: Path):
    with pytest.raises(SourceIncompleteError, match=r"^2 of 3 people$"):
        read(tmp_path, 'raise SourceIncompleteError("2 of 3 people")')


def test_a_probe_finds_the_function_and_does_not_call_it(tmp_path: Path):
    (tmp_path / "reading.py").write_text("def people(_): raise RuntimeError", "utf-8")
    source = PythonSource(kind="python", read="reading:people")
    [probe] = probe_source(source, tmp_path, now=NOW)
    assert (probe.table, probe.origin, probe.columns) == ("accounts", "reading:people", None)
    with pytest.raises(ConfigError, match=r"no function person in reading\.py"):
        probe_source(PythonSource(kind="python", read="reading:person"), tmp_path, now=NOW)


def test_a_request_for_a_test_of_ones_own_needs_no_more_than_options():
    request = ReadRequest({"url": "x"})
    assert (request.options, request.state, request.now.tzinfo) == ({"url": "x"}, None, UTC)
    with pytest.raises(ConfigError, match="none can be fetched"):
        request.resolve({"env": "HR_TOKEN"})


@pytest.mark.parametrize("ids", [41 * [""], [*map(str, range(41)), "0"]])
def test_a_function_that_says_42_of_42_and_gives_41_is_not_believed(tmp_path: Path, ids: list[str]):
    body = f'return raw_of(accounts=pl.DataFrame({{"id": {ids!r}}}), proof="42 of 42 accounts")'
    (tmp_path / "reading.py").write_text(f"{HEAD}\n\ndef people(request):\n    {body}\n", "utf-8")
    source = PythonSource(kind="python", read="reading:people")
    with pytest.raises(SourceIncompleteError, match="the proof says 42 accounts, and 41 came"):
        read_source(source, tmp_path, now=NOW, id_columns={"accounts": "id"})
