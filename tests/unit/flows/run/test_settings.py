"""Settings: where a workspace's things lie, and what cannot be meant."""

from pathlib import Path

import pytest

from flows.report.hashes import sharing_key
from flows.run.settings import read_settings
from flows.run.workspace import read_sources
from schemas.errors import ConfigError


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that is not the current folder; the home is `tmp_path/home`."""
    for name in ("workspace", "home", "current"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "current")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "workspace"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sqlite:///x.db", "sqlite:///{workspace}/x.db"),
        ("sqlite+pysqlite:///a/x.db?timeout=5", "sqlite+pysqlite:///{workspace}/a/x.db?timeout=5"),
        ("sqlite:///~/x.db", "sqlite:///{home}/x.db"),
        ("sqlite:////var/x.db", "sqlite:////var/x.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("postgresql://db/ledger", "postgresql://db/ledger"),
    ],
)
def test_a_relative_ledger_lies_in_the_workspace(elsewhere: Path, written: str, meant: str) -> None:
    settings = read_settings(elsewhere, {"LUMOS_INGEST_LEDGER": written})
    home = elsewhere.parent / "home"
    assert settings.ledger == meant.format(workspace=elsewhere, home=home)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("kept", "{workspace}/kept"),
        ("~/kept", "{home}/kept"),
        ("/var/kept", "/var/kept"),
        ("file:///var/kept", "/var/kept"),
        ("s3://bucket/kept", "s3://bucket/kept"),
        ("abfss://box@account.dfs.core.windows.net", "abfss://box@account.dfs.core.windows.net"),
    ],
)
def test_a_relative_archive_lies_in_the_workspace(
    elsewhere: Path, written: str, meant: str
) -> None:
    settings = read_settings(elsewhere, {"LUMOS_INGEST_ARCHIVE": written})
    home = elsewhere.parent / "home"
    assert settings.archive == meant.format(workspace=elsewhere, home=home)


@pytest.mark.parametrize(
    ("setting", "written", "said"),
    [
        ("ARCHIVE", "memory://", "name a folder, or an object store"),
        ("ARCHIVE", "ftp://host/kept", "name a folder, or an object store"),
        ("ARCHIVE", "~nobody-of-this-name/kept", "no such home folder"),
        ("RETENTION", "36526d", "at most a hundred years"),
        ("RETENTION", "soon", "write a duration"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(
    elsewhere: Path, setting: str, written: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=f"^LUMOS_INGEST_{setting}: .*{said}") as caught:
        read_settings(elsewhere, {f"LUMOS_INGEST_{setting}": written})
    assert caught.value.__context__ is None


def test_reading_the_settings_makes_nothing(elsewhere: Path) -> None:
    read_settings(elsewhere, {})
    assert list(elsewhere.iterdir()) == []


def test_a_sources_folder_that_is_refused_is_not_taken_for_an_empty_one(elsewhere: Path) -> None:
    (elsewhere / "sources").symlink_to("sources")
    with pytest.raises(ConfigError, match=r"sources: the source files cannot be read: Too many"):
        read_sources(elsewhere)


@pytest.mark.parametrize("left", [b"", b"short", None])
def test_a_key_that_is_not_whole_is_made_anew(tmp_path: Path, left: bytes | None) -> None:
    path = tmp_path / "sharing.key"
    if left is not None:
        path.write_bytes(left)
    key = sharing_key(tmp_path)
    assert len(key) == 32
    assert sharing_key(tmp_path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("A=1\n\n\ncanary4711\n", "4: is no NAME=value"),
        ("A=1\nB: canary4711\n", "2: is no NAME=value"),
        ("\n# so\nTOKEN='canary4711\nC=3\n", "3: a quote is not closed"),
        ("export canary4711", "1: is no NAME=value"),
    ],
)
def test_a_broken_env_file_is_told_by_its_line_and_not_quoted(
    tmp_path: Path, text: str, where: str
) -> None:
    (tmp_path / ".env").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        read_settings(tmp_path, {})
    assert str(caught.value) == f"{tmp_path}/.env:{where}"
    assert "canary" not in str(caught.value).removeprefix(str(tmp_path))


def test_blank_lines_comments_exports_and_quotes_of_an_env_file_are_no_fault(
    tmp_path: Path,
) -> None:
    text = "\ufeff# one\n\nexport LUMOS_API_URL = 'https://a.example' # so\nEMPTY=\n\n"
    (tmp_path / ".env").write_text(text, "utf-8")
    assert read_settings(tmp_path, {}).api_url == "https://a.example"
