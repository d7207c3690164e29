"""What every place where exports lie can do, whatever it is."""

from pathlib import Path
from typing import Protocol

from schemas.export_file import ExportFile


class Zone(Protocol):
    """A place where exports are dropped. A key is a path in it; it never leads out of the zone.

    What cannot be reached, or refuses, is a SourceUnavailableError of one line.
    """

    def matches(self, pattern: str) -> list[ExportFile]:
        """The file of that key; else, of a pattern, the files that fit, as the listing tells."""
        ...

    def look_at(self, key: str) -> ExportFile | None:
        """The file as it stands now; None where none is there."""
        ...

    def fetch(self, file: ExportFile, folder: Path) -> Path:
        """Where its bytes are: the file itself, or a private copy of the whole in `folder`."""
        ...

    def read(self, key: str) -> bytes | None:
        """What a small file holds; None where none is there."""
        ...

    def move(self, file: ExportFile, folder: str) -> None:
        """Moves the file into a folder of the zone, which is made; never over another file."""
        ...

    def close(self) -> None:
        """Ends the connection, where there is one."""
        ...
