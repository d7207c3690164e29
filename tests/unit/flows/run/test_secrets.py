"""Secrets: fetched from the place that a source file names, and told to nobody."""

import sys
from pathlib import Path

import pytest

from flows.run.secrets import to_resolver
from schemas.errors import ConfigError
from schemas.source_file.file import to_source
from schemas.source_file.secrets import Secret

CANARY = "canary-4711"
DATABASE = """app: {name: X}
source:
  kind: sql
  url: postgresql://db/hr
  username: reader
  password: %s
  queries: {list_accounts: select 1}
"""


def fetched(folder: Path, **place: object) -> str:
    return to_resolver(folder)(Secret(**place)).get_secret_value()


def test_a_secret_is_fetched_from_the_environment_before_dot_env(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text(f"DB_PASSWORD={CANARY}\n")
    assert fetched(tmp_path, env="DB_PASSWORD") == CANARY
    monkeypatch.setenv("DB_PASSWORD", "of the environment")
    assert fetched(tmp_path, env="DB_PASSWORD") == "of the environment"


@pytest.mark.parametrize("written", [f"{CANARY}\n", CANARY, f"{CANARY}\r\n"])
def test_a_secret_in_a_file_loses_its_last_line_break_alone(tmp_path, written):
    (tmp_path / "password").write_text(written, newline="")
    assert fetched(tmp_path, file="password") == CANARY
    (tmp_path / "password").write_text(f" {CANARY} \n")
    assert fetched(tmp_path, file="password") == f" {CANARY} "


def test_a_token_is_what_a_command_prints(tmp_path):
    words = (sys.executable, "-c", f"print('{CANARY}')")
    assert fetched(tmp_path, command=words) == CANARY


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"env": "NOT_THERE"}, "NOT_THERE is not set: put it into the environment"),
        ({"file": "not-there"}, "the secret in not-there cannot be read: No such file"),
        ({"file": "empty"}, "the secret in empty is empty"),
        ({"file": "binary"}, "the secret in binary is not text in UTF-8"),
        ({"command": ("not-a-program",)}, "the command not-a-program for a secret cannot be run"),
        ({"command": ("true",)}, "the command true for a secret printed nothing"),
        (
            {"command": ("sh", "-c", f"echo {CANARY}; echo {CANARY} >&2; exit 3")},
            "the command sh for a secret ended with exit code 3",
        ),
    ],
)
def test_a_secret_that_is_not_there_is_one_line_without_it(tmp_path, place, said):
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(ConfigError) as caught:
        fetched(tmp_path, **place)
    assert str(caught.value).startswith(said)
    assert CANARY not in str(caught.value)


def test_a_secret_that_is_written_out_is_refused_and_not_repeated():
    with pytest.raises(ConfigError) as caught:
        to_source(DATABASE % CANARY, "x", "sources/x.yaml")
    assert str(caught.value) == (
        "sources/x.yaml:6: source.password: a secret is not written into a source file: "
        "name its place, {env: NAME}"
    )


@pytest.mark.parametrize("place", ["{}", "{env: A, file: b}", "{env: ''}", "{vault: x}"])
def test_a_secret_has_one_place(place):
    with pytest.raises(ConfigError, match=r"sources/x.yaml:6: source.password"):
        to_source(DATABASE % place, "x", "sources/x.yaml")
