"""`init`: a workspace laid out, and what is there left alone."""

import json
import stat
from pathlib import Path

import pytest

from flows.cli.main import main


def said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["lumos-ingest", "init", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_a_folder_becomes_a_workspace_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "identities"
    code, out, _ = said(capsys, monkeypatch, "-w", str(place), "--json")
    assert code == 0
    assert json.loads(out)["made"] == ["sources/", "exports/", ".gitignore", ".env"]
    assert stat.S_IMODE((place / ".env").stat().st_mode) == 0o600
    ignored = (place / ".gitignore").read_text("utf-8").splitlines()
    assert {".lumos-ingest/", ".env", "exports/"} <= set(ignored)
    (place / ".env").write_text("LUMOS_API_TOKEN=mine", "utf-8")
    code, out, _ = said(capsys, monkeypatch, "-w", str(place))
    assert code == 0
    assert "nothing was changed" in out
    assert (place / ".env").read_text("utf-8") == "LUMOS_API_TOKEN=mine"


def test_where_no_folder_can_be_it_says_so_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    code, out, err = said(capsys, monkeypatch, "-w", str(tmp_path / "file"))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "cannot be laid out" in err
