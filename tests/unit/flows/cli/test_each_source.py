"""A command over sources: each has its turn, and what goes wrong with one is that one's alone."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from polars.exceptions import PanicException

from flows.cli.each_source import Ended, each_source
from flows.cli.output import OURS, Output
from flows.run.context import RunContext
from schemas.errors import ConfigError, GuardError, IngestError, SourceError
from schemas.source_file.file import Source

CANARY = "jane.canary@example.com"
TEXT = "app: {name: %s}\nsource: {kind: csv, accounts: a.csv}\n"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A workspace with the sources a, b and c; the loggers are as they were after."""
    monkeypatch.setenv("LUMOS_API_TOKEN", "lsk_token")
    monkeypatch.setenv("LUMOS_API_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    (tmp_path / "sources").mkdir()
    for name in "abc":
        (tmp_path / "sources" / f"{name}.yaml").write_text(TEXT % name, "utf-8")
    yield tmp_path
    for name in OURS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(logging.NOTSET)


def one_of(
    ends: dict[str, int | Callable[[RunContext], BaseException]],
) -> Callable[[Source, RunContext, Output], Ended]:
    """The work of a command: an exit code, or an error, a source; 0 for the others."""

    def run_one(source: Source, context: RunContext, _output: Output) -> Ended:
        end = ends.get(source.name, 0)
        if not isinstance(end, int):
            raise end(context)
        return end, {"source": source.name, "state": "done"}

    return run_one


def run(
    workspace: Path, capsys: pytest.CaptureFixture[str], ends: dict[str, Any], *names: str
) -> tuple[int, list[dict[str, Any]], str]:
    """The exit code, the sources of the document, and what was said on stderr."""
    code = each_source(workspace, list(names), one_of(ends), every=not names, as_json=True)
    said = capsys.readouterr()
    return code, json.loads(said.out)["sources"], said.err


@pytest.mark.parametrize(
    "error",
    [
        lambda _: SourceError("no such file"),
        lambda _: KeyError(CANARY),
        lambda _: PanicException(CANARY),  # polars's, and no Exception
    ],
)
def test_what_goes_wrong_with_one_source_keeps_none_of_the_others_from_its_turn(
    workspace: Path,
    capsys: pytest.CaptureFixture[str],
    error: Callable[[RunContext], BaseException],
) -> None:
    code, sources, err = run(workspace, capsys, {"b": error})
    assert code == 1
    states = [(source["source"], source["state"]) for source in sources]
    assert states == [("a", "done"), ("b", "failed"), ("c", "done")]
    assert err == f"lumos-ingest: b: {sources[1]['error']}\n"
    assert CANARY not in err + str(sources)


@pytest.mark.parametrize(
    ("codes", "worst"),
    [((0, 0, 0), 0), ((0, 3, 0), 3), ((3, 1, 0), 1), ((1, 3, 2), 2), ((3, 0, 2), 2)],
)
def test_the_worst_exit_code_is_a_wrong_file_then_a_failure_then_a_held_plan(
    workspace: Path, capsys: pytest.CaptureFixture[str], codes: tuple[int, ...], worst: int
) -> None:
    assert run(workspace, capsys, dict(zip("abc", codes, strict=True)))[0] == worst


def test_a_failure_is_told_with_the_run_that_it_ended_and_not_by_its_words(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids: list[str] = []

    def failed(context: RunContext) -> IngestError:
        for _ in range(2):
            run = context.ledger.start_run("a", "me@host", context.now())
            context.ledger.update_run(run.run_id, state="failed", error="the same words")
            ids.append(run.run_id)
        return SourceError("the same words", run_id=ids[0])

    _, [ended], _ = run(workspace, capsys, {"a": failed}, "a")
    assert (ended["run_id"], ended["error"]) == (ids[0], "the same words")


def test_where_no_run_had_begun_the_line_stands_alone(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = {"a": lambda _: ConfigError("no app"), "b": lambda _: GuardError("held elsewhere")}
    code, sources, _ = run(workspace, capsys, ends, "a", "b")
    assert code == 2
    assert sources == [
        {"source": "a", "state": "failed", "error": "no app"},
        {"source": "b", "state": "held", "error": "held elsewhere"},
    ]


def test_a_wrong_source_file_is_told_once_and_the_others_have_their_turn(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / "sources" / "b.yaml").write_text("app: {}\n", "utf-8")
    code, sources, err = run(workspace, capsys, {})
    assert code == 2
    assert [source["source"] for source in sources] == ["b", "a", "c"]
    assert err.count("lumos-ingest: sources/b.yaml") == 1


def test_a_command_may_choose_among_the_good_sources(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = each_source(
        workspace,
        [],
        one_of({"a": 1}),
        every=True,
        as_json=True,
        choose=lambda sources, _broken: sources[1:],
    )
    assert code == 0
    assert [one["source"] for one in json.loads(capsys.readouterr().out)["sources"]] == ["b", "c"]
