"""The state folder is its owner's alone, and whoever could have been in it is told of."""

import os
from pathlib import Path

import pytest

from flows.run.state_folder import make_state_folder
from schemas.errors import StateError


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_new_one_is_for_its_owner_and_nothing_is_told(
    tmp_path: Path, umask: int, caplog: pytest.LogCaptureFixture
) -> None:
    before = os.umask(umask)
    try:
        make_state_folder(tmp_path / "state")
    finally:
        os.umask(before)
    assert mode(tmp_path / "state") == 0o700
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("was", "told"),
    [
        (0o755, "others could look into the state folder (mode 755)"),
        (0o750, "others could look into the state folder (mode 750)"),
        (0o711, "others could look into the state folder (mode 711)"),
        (0o770, "others could write to the state folder (mode 770)"),
        (0o1777, "others could write to the state folder (mode 1777)"),
    ],
)
def test_one_that_others_could_use_is_closed_and_told(
    tmp_path: Path, was: int, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(was)
    make_state_folder(state)
    assert mode(state) == 0o700
    assert told in caplog.text
    caplog.clear()
    make_state_folder(state)
    assert caplog.text == ""


def test_a_link_of_ones_own_is_followed_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "large").mkdir(mode=0o700)
    (tmp_path / "state").symlink_to("large")
    make_state_folder(tmp_path / "state")
    assert f"is a symbolic link to {tmp_path / 'large'}" in caplog.text


@pytest.mark.parametrize("is_link", [True, False])
def test_one_that_somebody_else_made_is_refused(tmp_path: Path, is_link: bool) -> None:
    state = tmp_path / "state"
    if is_link:
        (tmp_path / "theirs").mkdir()
        state.symlink_to("theirs")
    else:
        state.mkdir()
    if os.geteuid() == 0:
        os.chown(state, 12345, -1, follow_symlinks=False)
    me = os.geteuid() if os.geteuid() == 0 else 12345
    with pytest.raises(StateError, match=r"belongs to user \d+, not to you"):
        make_state_folder(state, me)
