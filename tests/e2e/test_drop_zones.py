"""Exports in drop zones through the command line: from a bucket and from an SFTP server."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
import pytest
from obstore.store import S3Store
from terminal import HEADER, SOURCE, Workspace, rows

if TYPE_CHECKING:
    from tests.sftp_server import SftpServer

pytest_plugins = ["tests.s3_server", "tests.sftp_server"]

CANARY = "canary5f1csecret"
EXPORT = "\n".join([HEADER, *rows(3)]) + "\n"


def source_of(written: str) -> str:
    return SOURCE.replace("source: {kind: csv, accounts: exports/hr.csv}", written)


def s3_source(store: S3Store) -> str:
    return source_of(
        "source:\n"
        "  kind: csv\n"
        f"  accounts: s3://{store.config['bucket']}/hr/hr_*.csv\n"
        "  s3:\n"
        "    access_key_id: test\n"
        "    secret_access_key: {env: HR_SECRET}\n"
        f"    endpoint: {store.config['endpoint']}\n"
    )


def test_an_export_in_a_bucket_reaches_lumos(
    workspace: Workspace, new_bucket: Callable[[], S3Store]
):
    store = new_bucket()
    obstore.put(store, "hr/hr_1.csv", EXPORT.encode())
    workspace.source(s3_source(store))
    assert workspace.run("check", env={"HR_SECRET": CANARY}).code == 0
    said = workspace.run("sync", "hr", env={"HR_SECRET": CANARY})
    assert said.code == 0, said.err
    assert sorted(workspace.accounts()) == ["a0001", "a0002", "a0003"]


def test_a_bucket_that_is_not_there_fails_the_run_in_one_line(
    workspace: Workspace, s3_endpoint: str, caplog: pytest.LogCaptureFixture
):
    workspace.source(s3_source(S3Store("no-such-bucket", endpoint=s3_endpoint)))
    with caplog.at_level(logging.DEBUG):
        said = workspace.run("sync", "hr", env={"HR_SECRET": CANARY})
    assert said.code == 1
    assert "s3://no-such-bucket/hr/hr_*.csv: there is no such bucket" in said.err
    assert CANARY not in said.out + said.err + caplog.text
    assert "Traceback" not in said.err
    assert workspace.accounts() == {}


def test_a_secret_that_is_not_set_is_a_wrong_environment(
    workspace: Workspace, new_bucket: Callable[[], S3Store]
):
    workspace.source(s3_source(new_bucket()))
    said = workspace.run("sync", "hr")
    assert (said.code, "HR_SECRET" in said.err) == (2, True)


def test_an_export_on_an_sftp_server_reaches_lumos(
    workspace: Workspace, sftp_server: "SftpServer", tmp_path: Path
):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/hr_1.csv").write_text(EXPORT, "utf-8")
    login = f"private_key: {{file: {sftp_server.private_key}}}"
    lines = [
        "source:",
        "  kind: csv",
        f"  accounts: {sftp_server.url}{tmp_path}/out/hr_*.csv",
        f"  sftp: {{{login}, host_key: {sftp_server.host_key}}}",
        "",
    ]
    workspace.source(source_of("\n".join(lines)))
    said = workspace.run("sync", "hr")
    assert said.code == 0, said.err
    assert len(workspace.accounts()) == 3
    workspace.source(
        source_of("\n".join(lines).replace(sftp_server.host_key, "SHA256:" + "A" * 43))
    )
    said = workspace.run("sync", "hr")
    assert said.code == 2
    assert "its host key is not the one in sftp.host_key" in said.err
