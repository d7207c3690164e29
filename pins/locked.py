"""The pins of a lock file: names and versions, as pip writes them."""

import re
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)


def pins_of(text: str) -> dict[str, Version]:
    """The versions by normal name of a file of pins; hashes and markers aside."""
    return {canonicalize_name(name): Version(version) for name, version in _PIN.findall(text)}


def pins_in(*paths: Path) -> dict[str, Version]:
    """The pins of several lock files together."""
    return {
        name: version
        for path in paths
        for name, version in pins_of(path.read_text("utf-8")).items()
    }
