"""Advisories that somebody brings are held against the pins, without a network."""

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from pins.audit import findings, is_affected, main
from pins.locked import pins_in, pins_of

NOW = datetime(2026, 8, 10, tzinfo=UTC)
ROOT = Path(__file__).parents[3]


def advisory(name: str = "Wobble_Lib", **more: Any) -> dict[str, Any]:
    affected = {
        "package": {"ecosystem": "PyPI", "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.10"}]}],
    }
    usual = {
        "id": "PYSEC-1",
        "aliases": ["CVE-1"],
        "modified": "2026-08-01T00:00:00Z",
        "summary": "It wobbles.\nMuch.",
        "affected": [affected],
    }
    return usual | more


@pytest.mark.parametrize(
    ("events", "affected"),
    [
        ([{"introduced": "0"}, {"fixed": "1.10"}], True),
        ([{"introduced": "0"}, {"fixed": "1.9"}], False),
        ([{"introduced": "1.9"}], True),
        ([{"introduced": "1.10"}], False),
        ([{"introduced": "0"}, {"last_affected": "1.9"}], True),
        ([{"introduced": "0"}, {"last_affected": "1.8"}], False),
        ([{"fixed": "1.5"}, {"introduced": "1.9rc1"}, {"introduced": "0"}], True),
        ([{"introduced": "no version"}, {"fixed": "2"}], True),
    ],
)
def test_a_range_is_read_as_osv_has_it(events: list[dict[str, str]], affected: bool) -> None:
    ranges = [{"type": "ECOSYSTEM", "events": events}]
    assert is_affected(Version("1.9"), {"ranges": ranges}) is affected


def test_a_listed_version_counts_however_it_is_written() -> None:
    assert is_affected(Version("1.0"), {"versions": ["1.0.0"]})
    assert not is_affected(Version("1.0"), {"versions": ["1.0.1"]})


def test_only_what_is_pinned_and_stands_is_told() -> None:
    pins = pins_of("wobble-lib==1.9 \\\n    --hash=sha256:0\nother==2 ; python_version < '3.12'\n")
    assert pins == {"wobble-lib": Version("1.9"), "other": Version("2")}
    others = [advisory("elsewhere"), advisory(withdrawn="2026-01-01T00:00:00Z")]
    elsewhere = {"package": {"ecosystem": "npm", "name": "other"}, "versions": ["2"]}
    [found] = findings(pins, [advisory(), *others, advisory(affected=[elsewhere])])
    assert (found.package, found.advisory, found.fixed) == ("wobble-lib", "PYSEC-1", ("1.10",))
    assert found.summary == "It wobbles."


@pytest.mark.parametrize("is_zip", [True, False])
@pytest.mark.parametrize(("pinned", "code"), [("1.9", 1), ("1.10", 0)])
def test_the_command_ends_red_where_one_applies(
    tmp_path: Path, is_zip: bool, pinned: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    lock, place = tmp_path / "x.lock", tmp_path / "osv"
    lock.write_text(f"wobble-lib=={pinned}\n", "utf-8")
    if is_zip:
        with zipfile.ZipFile(place, "w") as archive:
            archive.writestr("PYSEC-1.json", json.dumps(advisory()))
    else:
        place.mkdir()
        (place / "PYSEC-1.json").write_text(json.dumps(advisory()), "utf-8")
    assert main(NOW, [str(place), "--lock", str(lock)]) == code
    said = capsys.readouterr().out
    assert ("wobble-lib 1.9: PYSEC-1, CVE-1: fixed in 1.10: It wobbles." in said) is (code == 1)
    assert f"1 pins, 1 advisories to 2026-08-01: {code} apply" in said


def test_no_old_or_broken_advisories_are_no_clean_bill(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "x.lock"
    lock.write_text("wobble-lib==2\n", "utf-8")
    place = tmp_path / "osv"
    words = [str(place), "--lock", str(lock)]
    assert main(NOW, words) == 2
    place.mkdir()
    assert main(NOW, words) == 2
    (place / "a.json").write_text("[]", "utf-8")
    assert main(NOW, words) == 2
    (place / "a.json").write_text(json.dumps(advisory()), "utf-8")
    assert main(datetime(2026, 9, 1, tzinfo=UTC), words) == 2
    assert "the advisories end on 2026-08-01: bring newer ones" in capsys.readouterr().err


def test_the_page_of_dependencies_has_every_pin_as_it_is_locked() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    missing = [
        name
        for name, version in pins_in(ROOT / "requirements.lock").items()
        if f"| {name} | {version} |" not in page
    ]
    assert missing == [], "make ages"
