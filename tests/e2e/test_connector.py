"""A connector of Lumos's SDK into Lumos; its credential is told nowhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal import Workspace

from tests.connector_servers import TOKEN, running_connector

pytestmark = pytest.mark.xdist_group("connector")

SOURCE = """
app: {{name: Library, create: {{category: HR & Learning, description: A library}}}}
source:
  kind: connector
  url: "{url}"
  auth: {{token: {{env: LIBRARY_TOKEN}}}}
  settings: {{branch: main{more}}}
upload: {{poll: {{every: 0.1s, give_up_after: 60s}}}}
"""


@pytest.fixture
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_connector(tmp_path_factory.mktemp("connector")) as url:
        yield url


def test_readers_arrive_with_what_they_hold_and_the_credential_is_told_nowhere(
    workspace: Workspace, url: str
):
    env = {"LIBRARY_TOKEN": TOKEN}
    workspace.source(SOURCE.format(url=url, more=""), "library")
    checked = workspace.run("check", "library", env=env)
    synced = workspace.run("sync", "library", env=env)
    assert (checked.code, synced.code) == (0, 0), checked.err + synced.err
    accounts = workspace.accounts()
    assert len(accounts) == 25
    assert accounts["00005"]["status"] == "DEPROVISIONED"  # DELETED
    names = [one["name"] for one in accounts["00001"]["permissions"]]
    assert sorted(names) == ["Gold card", "Key (Shelf 1)"]
    attributes = {one["type"]: one["name"] for one in accounts["00001"]["attributes"]}
    assert attributes["floor"] == "F1"
    workspace.source(SOURCE.format(url=url, more=", fault: bug"), "library")
    failed = workspace.run("sync", "library", env=env)
    assert failed.code == 1
    assert "internal_error" in failed.err
    assert "Traceback" not in failed.err
    assert workspace.accounts() == accounts
    told = "".join(said.out + said.err for said in (checked, synced, failed))
    kept = b"".join(file.read_bytes() for file in Path(workspace.path).rglob("*") if file.is_file())
    assert TOKEN not in told
    assert TOKEN.encode() not in kept
