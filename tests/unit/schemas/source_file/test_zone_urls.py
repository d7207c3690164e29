"""What a source file may say of exports in drop zones, and what it may not."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.errors import ConfigError
from schemas.source_file.file import to_source
from schemas.source_file.kinds.csv_source import CsvSource
from schemas.source_file.zones.urls import ZoneUrl, to_zone_url

_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGKGOv9W1OHWHFaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
_SFTP = {"password": {"env": "P"}, "host_key": _KEY}


def _file(source: str) -> str:
    return f"app: {{name: HR}}\nsource:\n  kind: csv\n  {source}\n"


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("s3://bucket/hr/*.csv", ZoneUrl("s3", "s3", None, "bucket", None, "hr/*.csv")),
        ("gs://b/a?.csv", ZoneUrl("gcs", "gs", None, "b", None, "a?.csv")),
        ("az://con/a b.csv", ZoneUrl("azure", "az", None, "con", None, "a b.csv")),
        ("sftp://hr@host:22/a", ZoneUrl("sftp", "sftp", "hr", "host", 22, "a")),
        ("sftp://[::1]:22/~/a", ZoneUrl("sftp", "sftp", None, "[::1]", 22, "~/a")),
        ("https://h/a?b=c", ZoneUrl("https", "https", None, "h", None, "a?b=c")),
        ("exports/a.csv", None),
    ],
)
def test_a_url_is_taken_apart(written: str, url: ZoneUrl | None) -> None:
    assert to_zone_url(written) == url
    if url:
        assert f"{url.base}/{url.path}" == written


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("ftp://host/a.csv", "ftp:// is no drop zone"),
        ("S3://bucket/a.csv", "S3:// is no drop zone"),
        ("s3://bucket", "and the path of the export"),
        ("s3://bucket/", "and the path of the export"),
        ("s3:///a.csv", "the host or bucket"),
        ("s3://key:secret@bucket/a.csv", "a password is not written into a URL"),
        ("sftp://hr:secret@host/a.csv", "a password is not written into a URL"),
        ("https://hr@host/a.csv", "name it under https:"),
        ("s3://bucket/../a.csv", "a path with .. in it"),
        ("sftp://hr@host/out/../../etc/passwd", "a path with .. in it"),
        ("https://host/*.csv", "a web server lists no files"),
        ("https://host/a.csv?X-Amz-Signature=secret", "a signature or key is not written"),
        ("https://host/a.csv?sv=1&sig=secret", "a signature or key is not written"),
        ("https://host/a.csv?access_token=secret", "a signature or key is not written"),
        ("sftp://hr@host:port/a.csv", "host:port"),
    ],
)
def test_a_url_that_no_zone_has_is_a_wrong_source_file(written: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        to_source(_file(f"accounts: {written!r}"), "hr", "hr.yaml")
    assert str(caught.value).startswith("hr.yaml:4: source.")
    assert "accounts: " in str(caught.value)
    assert reason in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"accounts": "sftp://hr@h/a"}, "an sftp:// URL needs sftp:"),
        ({"accounts": "az://c/a"}, "an az:// URL needs azure:"),
        ({"accounts": "sftp://h/a", "sftp": _SFTP}, "say who logs in"),
        ({"accounts": "sftp://hr@h/a", "sftp": _SFTP | {"username": "hr"}}, "say who logs in"),
        ({"accounts": "a.csv", "s3": {}}, "s3: none of the exports has such a URL"),
        ({"accounts": "s3://b/a", "sftp": _SFTP}, "sftp: none of the exports has such a URL"),
        ({"accounts": "https://h/a", "archive_to": "done"}, "a web server moves no files"),
        ({"accounts": "s3://b/a", "archive_to": "done"}, "in one place only"),
        ({"accounts": "a.csv", "archive_to": "s3://b/done"}, "in one place only"),
        ({"accounts": "s3://b/a", "archive_to": "s3://c/done"}, "in one place only"),
        (
            {"accounts": "s3://b/a", "entitlements": "e.csv", "archive_to": "s3://b/done"},
            "in one place only",
        ),
        ({"accounts": "a.csv", "timezone": "Mars/Base"}, "zone"),
        ({"accounts": "s3://b/a", "s3": {"access_key_id": "x"}}, "go together"),
        ({"accounts": "s3://b/a", "s3": {"session_token": {"env": "T"}}}, "goes with"),
        ({"accounts": "s3://b/a", "s3": {"secret_access_key": "secret"}}, "not written into"),
        ({"accounts": "sftp://hr@h/a", "sftp": {"password": {"env": "P"}}}, "how the server is"),
        ({"accounts": "sftp://hr@h/a", "sftp": {"host_key": _KEY}}, "say how to log in"),
        (
            {"accounts": "sftp://hr@h/a", "sftp": _SFTP | {"known_hosts": "f"}},
            "how the server is known",
        ),
        ({"accounts": "sftp://hr@h/a", "sftp": _SFTP | {"host_key": "any"}}, "SHA256:"),
        ({"accounts": "s3://b/a", "s3": {"endpoint": "minio:9000"}}, "write https://"),
        ({"accounts": "s3://b/a", "s3": {"endpoint": "http://minio"}}, "is not encrypted"),
        ({"accounts": "s3://b/a", "s3": {"endpoint": "https://u:p@h"}}, "write https://"),
        ({"accounts": "sftp://hr@h/a", "sftp": _SFTP | {"passphrase": {"env": "P"}}}, "goes with"),
        (
            {"accounts": "az://c/a", "azure": {
                "account_name": "a", "account_key": {"env": "K"}, "sas": {"env": "K"}}},
            "one of the two",
        ),
        ({"accounts": "https://h/a", "https": {"username": "u"}}, "go together"),
        (
            {"accounts": "https://h/a", "https": {
                "token": {"env": "T"}, "username": "u", "password": {"env": "P"}}},
            "one of the two",
        ),
    ],
)  # fmt: skip
def test_what_is_said_of_a_zone_must_fit_together(keys: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CsvSource(kind="csv", **keys)
    assert reason in str(caught.value)
    assert "secret'" not in str(caught.value)


def test_every_example_of_the_guide_is_a_source() -> None:
    page = (Path(__file__).parents[4] / "docs" / "drop-zones.md").read_text("utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 6
    for example in examples:
        to_source(f"app: {{name: HR}}\n{example}", "hr", "hr.yaml")


def test_a_misspelt_key_of_a_zone_is_named_with_its_line() -> None:
    text = _file("accounts: s3://b/a.csv\n  s3: {acces_key_id: x}")
    with pytest.raises(ConfigError, match=r"hr\.yaml:5: .*did you mean access_key_id\?"):
        to_source(text, "hr", "hr.yaml")
