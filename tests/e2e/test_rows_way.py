"""A row's way from the file to the POST: the modules that hand it on are those the page lists."""

import dataclasses
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import polars as pl
from terminal import Workspace

ROOT = Path(__file__).parents[2]
ROOMS = ("flows", "extractors", "transforms", "loaders")
"""`schemas` is what crosses the borders, no stop on the way."""

BESIDE = ("flows/cli/", "flows/monitoring/", "flows/run/attempt", "transforms/plan/")
"""They look at the row, or at how long a stage takes: what is sent is the snapshot."""

MARK = "zq"
ROW = "zqa1,zqada@example.com,zqAda,zqAdler,ACTIVE,zqOps,zqReader; zqWriter"


def has_mark(value: Any, depth: int = 0) -> bool:
    """Whether the value holds the row, or a part of it: as text, bytes, a frame, or within."""
    match value:
        case str():
            return MARK in value
        case bytes() | bytearray() | memoryview():
            return MARK.encode() in bytes(value)
        case pl.DataFrame():
            return any(has_mark(column) for column in value.get_columns())
        case pl.Series():
            return MARK in repr(value.to_list())
    return depth < 4 and any(has_mark(part, depth + 1) for part in _parts(value))


def _parts(value: Any) -> list[Any]:
    if isinstance(value, tuple | list):
        return list(value)
    if isinstance(value, dict):
        return list(value.values())
    is_value = dataclasses.is_dataclass(value) and not isinstance(value, type)
    names = [field.name for field in dataclasses.fields(value)] if is_value else []
    return [getattr(value, name, None) for name in names]


class Way:
    """The modules of ours that returned the row, and those that were sending it."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self._is_sent = False
        self._looking = threading.local()

    def look(self, frame: FrameType, event: str, result: Any) -> None:
        """The profile function: called at every call and return of the process."""
        if self._is_sent or getattr(self._looking, "now", False):
            return
        self._looking.now = True
        try:
            if event == "call" and frame.f_code.co_name == "send" and "request" in frame.f_locals:
                request = frame.f_locals["request"]
                if (request.method, request.url.path) == ("POST", "/accounts/upload"):
                    self._is_sent = True
                    self._take_senders(frame)
            elif event == "return" and (module := _handing_on(frame)) and has_mark(result):
                self.modules.add(module)
        finally:
            self._looking.now = False

    def _take_senders(self, frame: FrameType | None) -> None:
        """What stands between the stage that publishes and the request."""
        while frame is not None and _module_of(frame) != "flows/sync/publish":
            self.modules |= {module} if (module := _module_of(frame)) else set()
            frame = frame.f_back
        assert frame is not None
        self.modules.add("flows/sync/publish")


def _handing_on(frame: FrameType) -> str | None:
    """The module of a function that returns to another module of ours, or to another thread."""
    module, caller = _module_of(frame), frame.f_back
    while caller is not None and _module_of(caller) is None:
        caller = caller.f_back
    return None if caller is not None and _module_of(caller) == module else module


def _module_of(frame: FrameType) -> str | None:
    return _module(frame.f_code.co_filename)


@cache
def _module(file: str) -> str | None:
    path = Path(file)
    if not path.is_relative_to(ROOT) or path.relative_to(ROOT).parts[0] not in ROOMS:
        return None
    name = str(path.relative_to(ROOT).with_suffix(""))
    return None if name.startswith(BESIDE) else name


@contextmanager
def traced(way: Way) -> Iterator[None]:
    before = sys.getprofile()
    threading.setprofile(way.look)
    sys.setprofile(way.look)
    try:
        yield
    finally:
        sys.setprofile(before)
        threading.setprofile(None)


def test_the_modules_that_a_row_passes_are_those_that_the_page_lists(workspace: Workspace):
    workspace.export(ROW)
    way = Way()
    with traced(way):
        assert workspace.run("sync", "hr").code == 0
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    section = page.split("## A row's way\n")[1].split("\n## ")[0]
    listed = re.findall(r"^\d+\. `([a-z_/]+)`", section, re.MULTILINE)
    assert sorted(listed) == sorted(way.modules)
    assert len(listed) <= 25
