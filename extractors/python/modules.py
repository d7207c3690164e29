"""Modules of a person's own: imported from among the packages, or from the workspace's folder."""

import importlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from schemas.errors import ConfigError

_LOCK = threading.RLock()


class WorkspaceModules:
    """The folder whose modules can be imported besides the packages: one workspace's at a time.

    It is last on Python's path, so that no file of a workspace stands before a package. Modules of
    the workspace before it are forgotten: two workspaces may each have their own `pipelines/hr.py`.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._known: frozenset[str] = frozenset()

    def load(self, name: str, workspace: Path, key: str) -> ModuleType:
        """Imports the module `name`, which a source file names under `key`.

        Raises:
            ConfigError: there is none, there are two, or it needs one that is not there.
            Exception: whatever the module itself raises.
        """
        folder = workspace.resolve()
        with _LOCK:
            self._look_in(folder)
            module, missing = _imported(name)
        written = _file_of(name, folder)
        if missing and not f"{name}.".startswith(f"{missing}."):
            raise ConfigError(f"the module {name} needs {missing}, which is not here", key=key)
        if module is None and written is None:
            raise ConfigError(
                f"no module {name}, neither among the installed packages nor in {workspace}",
                key=key,
            )
        if module is None or (written is not None and not _is_from(module, written)):
            other = _place_of(sys.modules.get(_top(name)))
            raise ConfigError(
                f"{name} is in the workspace and in {other}, and Python takes that one: give the "
                "workspace's another name",
                key=key,
            )
        return module

    def _look_in(self, folder: Path) -> None:
        importlib.invalidate_caches()
        if folder == self._folder:
            return
        self._forget()
        if any(Path(entry or ".").resolve() == folder for entry in sys.path):
            return
        self._known = frozenset(map(_top, sys.modules))
        self._folder = folder
        sys.path.append(str(folder))

    def _forget(self) -> None:
        """Takes the folder off the path, and forgets what was imported from it."""
        if self._folder is None:
            return
        if str(self._folder) in sys.path:
            sys.path.remove(str(self._folder))
        theirs = {
            name
            for name, module in list(sys.modules.items())
            if _top(name) == name and name not in self._known and self._lies_in_it(module)
        }
        for name in [name for name in sys.modules if _top(name) in theirs]:
            del sys.modules[name]
        self._folder = None

    def _lies_in_it(self, module: ModuleType) -> bool:
        return any(path.parent == self._folder for path in _paths_of(module))


WORKSPACE_MODULES = WorkspaceModules()
"""This process's: what is imported is the process's own, too."""


def _imported(name: str) -> tuple[ModuleType | None, str | None]:
    """Returns the module; or the name of the one, of it and its imports, that is not there."""
    try:
        return importlib.import_module(name), None  # noqa: TID251 - a source file names it
    except ModuleNotFoundError as error:
        return None, error.name or name


def _top(name: str) -> str:
    return name.partition(".")[0]


def _file_of(name: str, folder: Path) -> Path | None:
    """Returns the file that `name` means in `folder`; None where there is none."""
    path = folder.joinpath(*name.split("."))
    candidates = (path.with_name(f"{path.name}.py"), path / "__init__.py")
    return next((one for one in candidates if one.is_file()), None)


def _is_from(module: ModuleType, file: Path) -> bool:
    loaded = getattr(module, "__file__", None)
    return loaded is not None and Path(loaded).resolve() == file.resolve()


def _paths_of(module: ModuleType) -> Iterator[Path]:
    """Yields the file that a module of no package is, or the folders of a package."""
    folders, file = getattr(module, "__path__", None), getattr(module, "__file__", None)
    for path in folders if folders is not None else [file] if file else []:
        yield Path(path).resolve()


def _place_of(module: ModuleType | None) -> str:
    return str(next(_paths_of(module), "Python itself")) if module else "another package"
