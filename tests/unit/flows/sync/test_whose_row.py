"""Whose a row is: what it cannot say itself, and what its account must not get by that."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.unit.flows.sync.world import APP, World
from tests.unit.flows.world import in_memory

IDS = [f"a{number:02}" for number in range(30)]
LEAVER = "a07"


def cells(account: str, **others: str) -> dict[str, str]:
    usual = {"email": f"{account}@example.com", "given_name": f"G{account}"}
    return usual | {"family_name": f"F{account}", "user_status": "ACTIVE", "roles": "base"} | others


@pytest.fixture
def world() -> Iterator[World]:
    """A world whose app has taken thirty accounts, of which one is closed."""
    with in_memory(World) as world:
        world.more = "guards: {max_rejected_rows: 100%}\n"
        world.columns = ["given_name", "family_name"]
        for one in IDS:
            world.add(one, **cells(one))
        world.add(LEAVER, **cells(LEAVER, user_status="DEPROVISIONED"))
        world.sync()
        yield world


def night(world: World, **others: str) -> dict[str, object]:
    """What the app holds of the leaver once its row has these cells."""
    world.now += timedelta(days=1)
    world.add(LEAVER, **cells(LEAVER, user_status="DEPROVISIONED") | others)
    assert world.sync().run.state == "done"
    world.holds()
    sent = world.lumos.accounts[APP][LEAVER]
    names = sorted(one["name"] for one in sent["permissions"])
    return {"email": sent.get("email"), "status": sent["status"], "permissions": names}


def test_an_address_is_not_kept_beside_the_names_of_another_person(world: World):
    new = {"given_name": "New", "family_name": "Person", "user_status": "ACTIVE"}
    given = night(world, email="new.person@@example.com", roles="base;Admin", **new)
    assert given == {"email": None, "status": "ACTIVE", "permissions": ["Admin", "base"]}


@pytest.mark.parametrize("name", ["given_name", "family_name"])
def test_one_name_that_is_another_is_another_person(world: World, name: str):
    cells = {"email": "x@@example.com", "user_status": "ACTIVE", name: "Other"}
    assert night(world, **cells)["email"] is None


def test_an_address_is_kept_beside_the_same_names(world: World):
    given = night(world, email="SMTP:x@example.com", given_name=f"g{LEAVER}")
    assert given["email"] == f"{LEAVER}@example.com"


def test_a_row_that_says_nobody_neither_opens_its_account_nor_gives_it_more(
    world: World, caplog: pytest.LogCaptureFixture
):
    blank = {"email": "", "given_name": "", "family_name": ""}
    before = night(world)
    given = night(world, user_status="ACTIVE", roles="base;Admin", **blank)
    assert given == before
    assert "1 new association is left out, of accounts whose rows have neither" in caplog.text
    closed = night(world, user_status="DEPROVISIONED", roles="", **blank)
    assert closed == before | {"permissions": []}


def test_a_row_that_says_half_a_name_of_another_keeps_the_record_whole(world: World):
    before = night(world)
    half = {"email": "", "given_name": "Other", "family_name": ""}
    assert night(world, user_status="ACTIVE", roles="base;Admin", **half) == before


def test_a_column_of_addresses_that_cannot_be_read_is_held(world: World):
    for one in IDS[:5]:
        world.add(one, **cells(one, email=f"SMTP:{one}@example.com"))
    world.now += timedelta(days=1)
    assert world.sync().run.state == "done"
    for one in IDS[:6]:
        world.add(one, **cells(one, email=f"SMTP:{one}@example.com"))
    world.now += timedelta(days=1)
    run = world.sync().run
    assert run.state == "held"
    [breach] = run.breaches
    assert (breach.guard, breach.count, breach.of) == ("max_blanked_fields", 6, 29)
    assert breach.table == "values of email that cannot be read"
