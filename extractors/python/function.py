"""A function of a person's own: found by its name, called, and what goes wrong in it in one line.

The text of what it raises is not told: it may quote a row.
"""

import difflib
import inspect
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from extractors.python.modules import WORKSPACE_MODULES
from schemas.errors import ConfigError, FunctionError, IngestError

_Done = TypeVar("_Done")


@dataclass(frozen=True, slots=True)
class OwnFunction:
    """A function of a person's own.

    Attributes:
        name: `module:function`, for messages.
        key: the key of the source file that names it; None where a program hands it over.
        workspace: what files are told relative to.
        function: takes one argument.
    """

    name: str
    key: str | None
    workspace: Path
    function: Callable[[Any], Any]

    def call(self, argument: object) -> Any:  # noqa: ANN401 - whatever it returns
        """Calls it, and returns what it returns.

        Raises:
            IngestError: as the function raised it.
            FunctionError: it raised anything else, or would end the process.
        """
        return _told(lambda: self.function(argument), self.name, self.key, self.workspace)

    def error(self, problem: str) -> FunctionError:
        """Returns the error of a function that returned what it may not."""
        return FunctionError(f"{self.name} {problem}", key=self.key)


def load_function(name: str, workspace: Path, key: str, argument: str) -> OwnFunction:
    """Returns the function `module:function` that a source file names under `key`.

    `argument` is what it is called with, in words.

    Raises:
        ConfigError: there is no such module or function, or it cannot be called so.
        FunctionError: its module cannot be imported.
        IngestError: as its module raised it.
    """
    module_name, _, function_name = name.partition(":")
    module = _told(
        lambda: WORKSPACE_MODULES.load(module_name, workspace, key), module_name, key, workspace
    )
    function = getattr(module, function_name, None)
    place = _shown(str(getattr(module, "__file__", module_name)), workspace)
    if not callable(function):
        known = [one for one, value in vars(module).items() if callable(value)]
        close = difflib.get_close_matches(function_name, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ConfigError(f"no function {function_name} in {place}{hint}", key=key)
    if inspect.iscoroutinefunction(function):
        raise ConfigError(f"{name} is async: name a plain function", key=key)
    if not _takes_one(function):
        raise ConfigError(f"{name} in {place} must take one argument, {argument}", key=key)
    return OwnFunction(name, key, workspace, function)


def name_of(function: Callable[..., Any]) -> str:
    """Returns what a function that a program hands over is called in messages."""
    module = getattr(function, "__module__", None) or "a program"
    return f"{module}:{getattr(function, '__qualname__', type(function).__qualname__)}"


def _told(work: Callable[[], _Done], name: str, key: str | None, workspace: Path) -> _Done:
    """Returns what `work`, a person's own code, returns.

    Raises:
        IngestError: as it was raised.
        FunctionError: anything else was.
    """
    try:
        return work()
    except FunctionError as error:
        ours = error if error.key else FunctionError(str(error), key=key)
    except IngestError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a person's code raises
        ours = FunctionError(
            f"{name} raised {type(error).__name__} at {_place_of(error, workspace)}; its text is "
            "not shown, for it may quote a row",
            key=key,
        )
    raise ours


def _place_of(error: BaseException, workspace: Path) -> str:
    """Returns the file and line of the workspace where it was raised, or came through last."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_shown(error.filename, workspace)}:{error.lineno}"
    frames = [(one.filename, one.lineno) for one in traceback.extract_tb(error.__traceback__)]
    # Below our own frames; of what is left, a library's are of no use where theirs are there.
    left = [one for one in frames if one[0] != __file__] or frames
    theirs = [one for one in left if _is_theirs(one[0], workspace)]
    file, line = (theirs or left)[-1]
    return f"{_shown(file, workspace)}:{line}"


def _is_theirs(file: str, workspace: Path) -> bool:
    path = Path(file)
    return path.is_relative_to(workspace.resolve()) and "site-packages" not in path.parts


def _shown(file: str, workspace: Path) -> str:
    path, root = Path(file), workspace.resolve()
    return str(path.relative_to(root)) if path.is_relative_to(root) else file


def _takes_one(function: Callable[..., Any]) -> bool:
    """Returns whether it can be called with one argument; true where nothing can tell."""
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:  # a function of C, without a signature
        return True
    return True
