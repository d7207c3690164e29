"""The protocol that every place has where exports lie: a folder, a bucket, a server."""

from pathlib import Path
from typing import Protocol

from schemas.export_file import ExportFile


class Zone(Protocol):
    """A place where exports are dropped. A key is a path in it; it never leads out of the zone.

    What cannot be reached, or refuses, is a SourceUnavailableError of one line.
    """

    def matches(self, pattern: str) -> list[ExportFile]:
        """Returns the file of that key; of a pattern, the files that fit, as they are listed."""
        ...

    def look_at(self, key: str) -> ExportFile | None:
        """Returns the file as it stands now; None where none is there."""
        ...

    def fetch(self, file: ExportFile, folder: Path) -> Path:
        """Returns where its bytes are: the file, or a private copy of the whole in `folder`."""
        ...

    def read(self, key: str) -> bytes | None:
        """Returns the content of a small file; None where none is there."""
        ...

    def move(self, file: ExportFile, folder: str) -> None:
        """Moves the file into a folder of the zone, which is made; never over another file."""
        ...

    def close(self) -> None:
        """Ends the connection, where there is one."""
        ...
