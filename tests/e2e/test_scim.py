"""A SCIM service into Lumos: users, groups and who is in them, and a read that is not whole."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from terminal import Workspace

from tests.scim_servers import TOKEN, ScimServer, running_scim

pytest_plugins = ["tests.snowflake_emulator"]
pytestmark = pytest.mark.xdist_group("scim")

SOURCE = """
app: {{name: Ticket Desk, create: {{category: HR & Learning, description: Tickets}}}}
source: {{kind: scim, url: {url}, token: {{env: DESK_TOKEN}}, page_size: 7}}
attributes: {{Type: "emails[type eq \\"work\\"].type"}}
upload: {{poll: {{every: 0.1s, give_up_after: 60s}}}}
"""


@pytest.fixture
def desk(emulators_python: Path, tmp_path: Path) -> Iterator[Callable[[str], ScimServer]]:
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(running_scim(name, ("23",), tmp_path))


def test_users_and_groups_arrive_and_a_service_that_gives_a_part_changes_nothing(
    workspace: Workspace, desk: Callable[[str], ScimServer]
):
    env = {"DESK_TOKEN": TOKEN}
    workspace.source(SOURCE.format(url=desk("express4").url), "desk")
    assert workspace.run("check", "desk", env=env).code == 0
    synced = workspace.run("sync", "desk", env=env)
    assert synced.code == 0, synced.err
    accounts = workspace.accounts()
    assert len(accounts) == 23
    assert accounts["id5"]["status"] == "SUSPENDED"
    assert accounts["id2"]["email"] == "clerk2@example.com"
    assert [one["name"] for one in accounts["id2"]["permissions"]] == ["Inner", "Outer"]
    workspace.source(SOURCE.format(url=desk("express5").url), "desk")
    failed = workspace.run("sync", "desk", env=env)
    assert failed.code == 1
    assert "takes no notice of startIndex" in failed.err
    assert TOKEN not in synced.err + synced.out + failed.err + failed.out
    assert workspace.accounts() == accounts
