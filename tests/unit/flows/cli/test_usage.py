"""What was typed: understood where it is clear, else answered with what was meant."""

from pathlib import Path

import pytest

from flows.cli.usage import check_command_name, reordered, workspace_in
from schemas.errors import ConfigError

COMMANDS = ["check", "preview", "sync", "runs", "serve"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--workspace ws sync hr", "sync hr --workspace ws"),
        ("-w ws --json runs", "runs -w ws --json"),
        ("--workspace=ws runs hr", "runs hr --workspace=ws"),
        ("sync hr -w ws", "sync hr -w ws"),
        ("help sync", "sync --help"),
        ("help", "--help"),
        ("version", "--version"),
        ("--version", "--version"),
        ("", ""),
        ("--workspace", "--workspace"),
    ],
)
def test_options_before_the_command_are_understood(typed: str, meant: str) -> None:
    assert reordered(typed.split()) == meant.split()


@pytest.mark.parametrize(
    ("typed", "folder"),
    [
        ("sync hr", "."),
        ("sync -w a hr", "a"),
        ("sync hr --workspace a --workspace b", "b"),
        ("sync --workspace=a/b", "a/b"),
        ("sync -wa", "a"),
        ("sync -- --workspace a", "."),
    ],
)
def test_the_workspace_is_found_among_the_words(typed: str, folder: str) -> None:
    assert workspace_in(typed.split()) == Path(folder)


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("status", "did you mean lumos-ingest runs?"),
        ("plan", "did you mean lumos-ingest preview?"),
        ("snyc", "did you mean lumos-ingest sync?"),
        ("SYNC", "did you mean lumos-ingest sync?"),
        ("xyz", "lumos-ingest -h lists the commands"),
    ],
)
def test_a_command_that_there_is_none_of_is_answered_with_what_was_meant(
    word: str, advice: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        check_command_name([word, "hr"], COMMANDS)
    assert str(caught.value) == f"no command {word!r}: {advice}"
