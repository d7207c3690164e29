"""A file is moved within a file system, and never over another one."""

import errno
import os
from pathlib import Path

import pytest

from extractors.zones.local import move_file


def test_a_file_system_without_links_gets_a_plain_move(tmp_path: Path) -> None:
    def no_links(_target: Path, _path: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    export = tmp_path / "hr_1.csv"
    export.write_text("id\n1\n", "utf-8")
    move_file(export, tmp_path / "moved.csv", no_links)
    assert not export.exists()
    export.write_text("id\n2\n", "utf-8")
    with pytest.raises(FileExistsError):
        move_file(export, tmp_path / "moved.csv", no_links)
    assert (tmp_path / "moved.csv").read_text("utf-8") == "id\n1\n"
