"""`make audit OSV=PATH`: advisories that somebody brings, held against the pins. Asks no network.

PATH is an export in the OSV format (schema 1.7) as osv.dev gives it away: `all.zip` of the
ecosystem PyPI, or a folder with its files. It exits 1 where an advisory speaks of a pinned
version, 2 where there is nothing to go by.
"""

import argparse
import json
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from pins.locked import pins_in

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")
STALE_AFTER = timedelta(days=14)

Advisory = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """An advisory that speaks of a pinned version; `fixed` is empty where none is."""

    package: str
    version: Version
    advisory: str
    aliases: tuple[str, ...]
    fixed: tuple[str, ...]
    summary: str


def read_advisories(place: Path) -> Iterator[Advisory]:
    """Every advisory of a zip or a folder; what is no JSON object is an error.

    Raises:
        OSError, ValueError, zipfile.BadZipFile: it cannot be read.
    """
    if place.is_dir():
        for path in sorted(place.rglob("*.json")):
            yield _object(path.read_bytes(), path.name)
        return
    with zipfile.ZipFile(place) as archive:
        for name in archive.namelist():
            if name.endswith(".json"):
                yield _object(archive.read(name), name)


def _object(content: bytes, name: str) -> Advisory:
    advisory = json.loads(content)
    if not isinstance(advisory, dict) or "id" not in advisory:
        raise ValueError(f"{name} is no advisory in the OSV format")
    return advisory


def findings(pins: Mapping[str, Version], advisories: Iterable[Advisory]) -> list[Finding]:
    """What advisories say of the pins, by package; withdrawn ones say nothing."""
    found = []
    for advisory in advisories:
        if advisory.get("withdrawn"):
            continue
        for affected in advisory.get("affected", []):
            package = affected.get("package", {})
            name = canonicalize_name(str(package.get("name", "")))
            is_ours = package.get("ecosystem") == "PyPI" and name in pins
            if is_ours and is_affected(pins[name], affected):
                found.append(_finding(name, pins[name], advisory, affected))
    return sorted(set(found), key=lambda one: (one.package, one.advisory))


def _finding(name: str, version: Version, advisory: Advisory, affected: Advisory) -> Finding:
    events = [event for one in affected.get("ranges", []) for event in one.get("events", [])]
    return Finding(
        name,
        version,
        str(advisory["id"]),
        tuple(advisory.get("aliases", [])),
        tuple(dict.fromkeys(event["fixed"] for event in events if "fixed" in event)),
        str(advisory.get("summary") or "").partition("\n")[0],
    )


def is_affected(version: Version, affected: Advisory) -> bool:
    """Whether a version is listed, or lies in a range (OSV schema 1.7, "Evaluation")."""
    listed = {str(one) for one in affected.get("versions", [])}
    if any(_version(one) == version for one in listed):
        return True
    ranges = [one for one in affected.get("ranges", []) if one.get("type") == "ECOSYSTEM"]
    return any(_is_in(version, one.get("events", [])) for one in ranges)


def _is_in(version: Version, events: Iterable[Mapping[str, str]]) -> bool:
    moments = sorted(
        ((_version(text), kind) for event in events for kind, text in event.items()),
        key=lambda moment: moment[0],
    )
    is_in = False
    for at, kind in moments:
        if kind == "introduced" and version >= at:
            is_in = True
        if (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            is_in = False
    return is_in


def _version(text: str) -> Version:
    """A version; one that is none is before all others, so that nothing is passed over."""
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0.dev0")


def newest(advisories: Iterable[Advisory]) -> datetime | None:
    """When the newest of the advisories was changed last; None without any."""
    told = [str(one["modified"]) for one in advisories if one.get("modified")]
    return max((datetime.fromisoformat(one) for one in told), default=None)


def main(now: datetime | None = None, words: list[str] | None = None) -> int:
    """Says what the advisories say; the exit code."""
    asked = argparse.ArgumentParser(prog="audit", description=__doc__.splitlines()[0])
    asked.add_argument("osv", type=Path)
    asked.add_argument("--lock", type=Path, action="append", help="in place of the project's own")
    options = asked.parse_args(words)
    pins = pins_in(*(options.lock or [ROOT / name for name in LOCKS]))
    try:
        advisories = list(read_advisories(options.osv))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        print(f"audit: {options.osv}: {error}", file=sys.stderr)
        return 2
    latest = newest(advisories)
    if latest is None:
        print(f"audit: {options.osv}: no advisory there", file=sys.stderr)
        return 2
    found = findings(pins, advisories)
    for one in found:
        fixed = f"fixed in {', '.join(one.fixed)}" if one.fixed else "no version has it fixed"
        names = ", ".join((one.advisory, *one.aliases))
        print(f"{one.package} {one.version}: {names}: {fixed}: {one.summary}")
    print(
        f"{len(pins)} pins, {len(advisories):,} advisories to {latest:%Y-%m-%d}: {len(found)} apply"
    )
    if (now or datetime.now(UTC)) - latest > STALE_AFTER:
        print(f"audit: the advisories end on {latest:%Y-%m-%d}: bring newer ones", file=sys.stderr)
        return 1 if found else 2
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
