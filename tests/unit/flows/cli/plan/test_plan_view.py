"""A plan as it is shown: counts to anyone, ids to a person at a terminal alone."""

import contextlib
import io
import re

import pytest

from flows.cli.output import Output
from flows.cli.plan.markdown import to_markdown
from flows.cli.plan.view import show_plan
from flows.sync.plan import Preview
from tests.unit.flows.sync.world import World, but
from tests.unit.flows.world import in_memory


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def preview() -> Preview:
    """Two of ten are gone; one of them is there under an id in upper case."""
    with in_memory(World) as world:
        world.has(*but())
        world.sync()
        world.has(*but("a", "b"), "A")
        return world.preview()


def shown(preview: Preview, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    with contextlib.redirect_stdout(stream):
        show_plan("hr", preview.planned, Output(as_json=False))
    return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())


def test_a_person_sees_what_each_guard_counts_and_the_first_ids(preview, monkeypatch):
    text = shown(preview, Terminal(), monkeypatch)
    assert "what the guards count" in text
    assert "max_removed_accounts: a, b" in text
    assert "max_respelled_ids: a" in text
    assert "gone and new, but alike: 2" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80


def test_a_pipe_sees_the_counts_alone(preview, monkeypatch):
    text = shown(preview, io.StringIO(), monkeypatch)
    assert "max_removed_accounts" in text
    assert "max_removed_accounts: a" not in text
    assert "alike" not in text


def test_a_plan_for_sharing_has_counts_and_hashes(preview):
    text = to_markdown("hr", preview.planned, b"k" * 32)
    assert "| max_removed_accounts | 2 | 10 accounts | 1 (10%) |" in text
    [pair] = [line for line in text.splitlines() if line.endswith("` | id |")]
    assert pair.count("`") == 4
    assert "`a`" not in text
