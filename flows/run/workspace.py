"""A workspace: a folder with `sources/*.yaml`; which sources it has, and which are meant."""

import os
import re
from collections import Counter
from difflib import get_close_matches
from pathlib import Path

from schemas.errors import ConfigError, raise_as
from schemas.source_file.file import Source, to_source

_MOST_LISTED = 12
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def source_paths(workspace: Path) -> list[Path]:
    """The source files of the workspace, by name.

    Raises:
        ConfigError: there are none, or the folder cannot be read.
    """
    folder = workspace / "sources"
    names = raise_as(
        lambda: _names_in(folder),
        {
            OSError: lambda error: ConfigError(
                f"{folder}: the source files cannot be read: {error.strerror}"
            )
        },
    )
    paths = [folder / name for name in names if name.endswith((".yaml", ".yml"))]
    if not paths:
        raise ConfigError(f"{folder}: no source files (*.yaml) here; is this the workspace?")
    return paths


def source_names(workspace: Path) -> list[str]:
    """The names of the workspace's sources, the broken ones too.

    Raises:
        ConfigError: there are none, or the folder cannot be read.
    """
    return sorted({path.stem for path in source_paths(workspace)})


def _names_in(folder: Path) -> list[str]:
    """The names in a folder, in order; none where there is no such folder."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - a glob passes over what it may not read
    except (FileNotFoundError, NotADirectoryError):
        return []


def read_sources(workspace: Path) -> tuple[list[Source], dict[str, ConfigError]]:
    """The workspace's good sources, by name, and by name what is wrong with each of the others.

    Two that feed one app are both wrong.

    Raises:
        ConfigError: no sources.
    """
    paths = source_paths(workspace)
    sources: list[Source] = []
    broken: dict[str, ConfigError] = {}
    for path in paths:
        try:
            sources.append(read_source_file(path, workspace))
        except ConfigError as error:
            broken[path.stem] = error
    for name, count in Counter(path.stem for path in paths).items():
        if count > 1:
            broken[name] = ConfigError(
                f"sources/{name}: there are two files of this name, .yaml and .yml"
            )
    sources = [source for source in sources if source.name not in broken]
    broken |= _feeding_one_app(sources)
    return [source for source in sources if source.name not in broken], broken


def read_source_file(path: Path, workspace: Path) -> Source:
    """The source in `path`, named for its stem.

    Raises:
        ConfigError: it cannot be read, or is wrong; with file, line, key and reason.
    """
    shown = str(path.relative_to(workspace)) if path.is_relative_to(workspace) else str(path)
    if not _NAME.fullmatch(path.stem):
        raise ConfigError(f"{shown}: a source's name has letters, digits, . _ and - only")
    text = raise_as(
        lambda: path.read_text("utf-8-sig"),
        {
            OSError: lambda error: ConfigError(f"{shown}: {error.strerror}"),
            UnicodeDecodeError: lambda _: ConfigError(f"{shown}: is not text in UTF-8"),
        },
    )
    return to_source(text, path.stem, shown)


def choose_sources(workspace: Path, names: list[str], *, every: bool) -> list[Source]:
    """The sources that a command names, in the order named; all of them where `every` is set.

    Raises:
        ConfigError: none named, or one of them does not exist or is wrong.
    """
    sources, broken = pick_sources(workspace, names, every=every)
    for problem in broken.values():
        raise problem
    return sources


def pick_sources(
    workspace: Path, names: list[str], *, every: bool
) -> tuple[list[Source], dict[str, ConfigError]]:
    """As `choose_sources`; but the wrong ones of those chosen apart, so that they hold no other up.

    Raises:
        ConfigError: none named, or one that does not exist.
    """
    sources, broken = read_sources(workspace)
    good = {source.name: source for source in sources}
    known = sorted({*good, *broken})
    names = [meant_source(name, known, workspace) for name in names]
    if not names and not every:
        raise ConfigError(f"name a source or say --all; there are {_listed(known)}")
    chosen = known if every else list(dict.fromkeys(names))
    return (
        [good[name] for name in chosen if name in good],
        {name: broken[name] for name in chosen if name in broken},
    )


def meant_source(text: str, known: list[str], workspace: Path) -> str:
    """The source that `text` names: by its name in any case, or by its file of this workspace.

    Raises:
        ConfigError: there is none.
    """
    if text in known:
        return text
    path = Path(text)
    folder = workspace / "sources"
    is_file = path.suffix in {".yaml", ".yml"} and (
        path.name == text
        or folder.resolve() in {(workspace / path.parent).resolve(), path.parent.resolve()}
    )
    name = path.stem if is_file else text
    meant = [one for one in known if one.casefold() == name.casefold()]
    if name in meant:
        return name
    if len(meant) == 1:
        return meant[0]
    folded = {one.casefold(): one for one in known}
    close = get_close_matches(name.casefold(), folded, 1)
    advice = f"did you mean {folded[close[0]]!r}? There" if close else "there"
    raise ConfigError(f"no source {text!r}; {advice} are {_listed(known)}")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(names[:_MOST_LISTED]) + more


def _feeding_one_app(sources: list[Source]) -> dict[str, ConfigError]:
    """Two sources that feed one app would remove each other's accounts: both are its snapshot."""
    fed: dict[str, Source] = {}
    broken = {}
    for source in sources:
        app = source.file.app.id or source.file.app.name or ""
        first = fed.setdefault(app, source)
        if first is not source:
            broken[first.name] = broken[source.name] = ConfigError(
                f"{source.path}: app: {first.path} feeds the same app; an upload is a snapshot "
                "of its app, so each would remove the other's accounts"
            )
    return broken
