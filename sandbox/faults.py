"""Faults on demand: `NAME[=VALUE][@PATH-PREFIX][*COUNT]`, or a JSON object of the same parts."""

import re
import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

_DEFAULT_VALUES: Final = {"429": 1.0, "slow": 1.0}
ANSWER_FAULTS: Final = frozenset({"429", "500", "502", "503", "cut_before", "cut_after"})
JOB_FAULTS: Final = frozenset({"job_stuck", "job_fails", "job_forgotten"})
UNTOLD_FAULTS: Final = frozenset({"status_missing", "email_missing", "total_missing"})
NAMES: Final = (
    *sorted(ANSWER_FAULTS),
    "slow",
    *sorted(JOB_FAULTS),
    "state_missing",
    *sorted(UNTOLD_FAULTS),
)
_GRAMMAR: Final = re.compile(
    r"(?P<name>[^=@*]+)(=(?P<value>[^@*]+))?(@(?P<path>/[^*]*))?(\*(?P<count>inf|[0-9]+))?"
)
_KEYS: Final = frozenset({"name", "value", "path", "count"})


@dataclass(slots=True)
class Fault:
    """A fault that is armed; `count` is how often it still strikes, None for ever."""

    name: str
    value: float | None
    path: str
    count: int | None

    def to_dict(self) -> dict[str, object]:
        """Return the fault as the JSON object that would arm it."""
        count = "inf" if self.count is None else self.count
        return {"name": self.name, "value": self.value, "path": self.path, "count": count}


def wrong_fault(spec: object) -> ValueError:
    """Return the one-line error for a fault that cannot be understood."""
    return ValueError(
        f"wrong fault {spec!r}: write NAME[=VALUE][@PATH-PREFIX][*COUNT], NAME one of"
        f" {', '.join(NAMES)}; VALUE is seconds, for 429 and slow only; PATH-PREFIX begins with /;"
        " COUNT is 1 or more, or inf"
    )


def to_fault(spec: str | Mapping[str, object]) -> Fault:
    """Read one fault.

    Raises:
        ValueError: it cannot be understood; the message lists what can.
    """
    if isinstance(spec, str):
        match = _GRAMMAR.fullmatch(spec.strip())
        if match is None:
            raise wrong_fault(spec)
        parts: Mapping[str, object] = match.groupdict()
    else:
        parts = spec
    name = str(parts.get("name"))
    if name not in NAMES or not _KEYS.issuperset(parts):
        raise wrong_fault(spec)
    try:
        value = _to_value(name, parts.get("value"))
        count = _to_count(parts.get("count"))
    except (TypeError, ValueError):
        raise wrong_fault(spec) from None
    path = parts.get("path") or "/"
    if not (isinstance(path, str) and path.startswith("/")):
        raise wrong_fault(spec)
    return Fault(name, value, path, count)


def _to_value(name: str, value: object) -> float | None:
    """Return the seconds of a fault that takes them; ValueError where they make no sense."""
    if value is None:
        return _DEFAULT_VALUES.get(name)
    seconds = float(str(value))
    if name not in _DEFAULT_VALUES or not 0 <= seconds < float("inf"):
        raise ValueError(name)
    return seconds


def _to_count(count: object) -> int | None:
    """Return how often a fault strikes, None for ever; ValueError for less than once."""
    if count is None:
        return 1
    if count == "inf":
        return None
    times = int(str(count))
    if times < 1:
        raise ValueError(times)
    return times


class Faults:
    """The faults that are armed, in the order they were armed."""

    def __init__(self, specs: Iterable[str | Mapping[str, object]] = ()) -> None:
        self._lock = threading.Lock()
        self._armed: list[Fault] = []
        self.arm(specs)

    def arm(self, specs: Iterable[str | Mapping[str, object]]) -> None:
        """Arm all of `specs`, or none when one of them is wrong (ValueError)."""
        faults = [to_fault(spec) for spec in specs]
        with self._lock:
            self._armed.extend(faults)

    def take(self, path: str, names: Collection[str]) -> Fault | None:
        """Return the first fault of those names that strikes a request of `path`, and count it."""
        with self._lock:
            for fault in self._armed:
                if fault.name in names and path.startswith(fault.path):
                    if fault.count is not None:
                        fault.count -= 1
                    self._armed = [armed for armed in self._armed if armed.count != 0]
                    return fault
        return None

    def armed(self) -> list[dict[str, object]]:
        """Return what is still armed."""
        with self._lock:
            return [fault.to_dict() for fault in self._armed]

    def clear(self) -> None:
        """Disarm everything."""
        with self._lock:
            self._armed.clear()
