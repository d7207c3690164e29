"""Expressions of columns: what they say; what cannot be told is a reject, never a value."""

import polars as pl
import pytest

from schemas.errors import SourceFormatError
from tests.unit.builders import account, normalized, snapshot, source_file

SHUT = "{cases: [{when: {column: locked, is: [Y, '1']}, then: SUSPENDED}], else: ACTIVE}"
ENDS = (
    "{cases: [{when: {column: end, format: '%d/%m/%Y', before: now}, then: DEPROVISIONED}], "
    "else: {column: state, values: {A: ACTIVE, '': STAGED}}}"
)


def field(to: str, expression: str, **cells: str) -> object:
    """What `expression` makes of one row; the code of the reject where nobody can tell."""
    file = source_file(f"columns: {{{to}: {expression}}}\n")
    made = normalized([account("a", **cells)], file)
    codes = made.rejects.filter(pl.col("column") == to)["code"].to_list()
    if codes:
        return codes[0]
    (value,) = made.snapshot.accounts[to].to_list()
    return value


@pytest.mark.parametrize(
    ("expression", "cells", "value"),
    [
        ("[mail, upn]", {"mail": "", "upn": "u@x.org"}, "u@x.org"),
        ("[mail, upn]", {"mail": "m@x.org", "upn": "u@x.org"}, "m@x.org"),
        ("[mail, {template: '{login}@x.org'}]", {"mail": " ", "login": " ann "}, "ann@x.org"),
        ("{template: '{login}@x.org'}", {"login": ""}, None),
        ("{template: '{a}.{b}@x.org'}", {"a": "n", "b": ""}, None),
        ("{template: '{login}@x.org'}", {"login": "N/A"}, "stands_for_nothing"),
        ("{template: '{login}@x.org'}", {"login": "ann@y.org"}, "no_email"),
        (r"{column: c, pattern: '<(.+)>'}", {"c": "Ann <a@x.org>"}, "a@x.org"),
        (r"{column: c, pattern: '<(.+)>'}", {"c": "Ann"}, "no_match"),
        (r"{column: c, pattern: '<(.+)>'}", {"c": " "}, None),
    ],
)
def test_an_address_is_made_of_what_is_there(expression, cells, value) -> None:
    names = {"given_name": "Ann", "family_name": "Li"}
    assert field("email", expression, **names, **cells) == value


PARTS = (
    "[{column: name, pattern: '^(?<family>[^,]+), (?<given>.+)$', group: GROUP}, "
    r"{column: name, pattern: '^(?<given>\S+) (?<family>\S+)(?: \(\d+\))?$', group: GROUP}]"
)


@pytest.mark.parametrize(
    ("name", "family", "given"),
    [
        ("Li, Ann Mae", "Li", "Ann Mae"),
        ("Ann Li", "Li", "Ann"),
        ("Ann Li (12345)", "Li", "Ann"),
        ("", None, None),
        ("Ann Mae Li", "no_match", "no_match"),
    ],
)
def test_a_whole_name_is_taken_apart_in_the_ways_that_are_stated(name, family, given) -> None:
    assert field("family_name", PARTS.replace("GROUP", "family"), name=name) == family
    assert field("given_name", PARTS.replace("GROUP", "given"), name=name) == given


def test_a_cell_that_no_pattern_fits_is_not_passed_over_for_another_column() -> None:
    expression = "[{column: name, pattern: '^(.+),'}, other]"
    assert field("family_name", expression, name="Ann", other="Li") == "no_match"
    assert field("family_name", expression, name="", other="Li") == "Li"


@pytest.mark.parametrize(
    ("locked", "status"),
    [
        ("Y", "SUSPENDED"),
        (" y ", "SUSPENDED"),
        ("1", "SUSPENDED"),
        ("N", "ACTIVE"),
        ("", "ACTIVE"),
        ("Member", "ACTIVE"),
        ("TRUE", "contradicts_else"),
        ("Yes", "contradicts_else"),
        ("Deactivated", "contradicts_else"),
        ("Account locked", "contradicts_else"),
        ("not locked", "ACTIVE"),
    ],
)
def test_a_word_that_no_case_names_opens_nothing_that_it_says_is_shut(locked, status) -> None:
    assert field("user_status", SHUT, locked=locked) == status


@pytest.mark.parametrize(
    ("end", "state", "status"),
    [
        ("31/12/2020", "A", "DEPROVISIONED"),
        ("31/07/2026", "A", "DEPROVISIONED"),
        ("01/08/2026", "A", "ACTIVE"),
        ("31/12/9999", "A", "ACTIVE"),
        ("", "A", "ACTIVE"),
        ("", "", "STAGED"),
        ("", "?", "unmapped_status"),
        ("soon", "A", "untold_condition"),
        ("01/01/1970", "A", "untold_condition"),
        ("soon", "", "untold_condition"),
    ],
)
def test_an_end_date_shuts_once_its_day_is_over(end, state, status) -> None:
    assert field("user_status", ENDS, end=end, state=state) == status


def test_a_status_that_none_of_the_cases_fits_is_a_reject() -> None:
    cases = "{cases: [{when: {column: s, is: [in]}, then: ACTIVE}]}"
    assert field("user_status", cases, s="in") == "ACTIVE"
    assert field("user_status", cases, s="out") == "no_case"


def test_a_list_of_conditions_must_hold_as_a_whole() -> None:
    cases = (
        "{cases: [{when: [{column: a, is: [p]}, {column: end, before: now}], then: SUSPENDED}], "
        "else: ACTIVE}"
    )
    assert field("user_status", cases, a="p", end="2020-01-01") == "SUSPENDED"
    assert field("user_status", cases, a="q", end="2020-01-01") == "ACTIVE"
    assert field("user_status", cases, a="q", end="soon") == "ACTIVE"
    assert field("user_status", cases, a="p", end="soon") == "untold_condition"


@pytest.mark.parametrize(
    ("zone", "status"), [("Pacific/Kiritimati", "SUSPENDED"), ("UTC", "ACTIVE")]
)
def test_a_day_is_over_by_the_clocks_of_its_zone(zone, status) -> None:
    when = f"{{column: end, timezone: {zone}, before: now}}"
    cases = f"{{cases: [{{when: {when}, then: SUSPENDED}}], else: ACTIVE}}"
    assert field("user_status", cases, end="2026-08-01") == status


def test_whoever_starts_later_is_staged() -> None:
    cases = "{cases: [{when: {column: start, after: now}, then: STAGED}], else: ACTIVE}"
    assert field("user_status", cases, start="2026-08-02") == "STAGED"
    assert field("user_status", cases, start="2026-08-01") == "ACTIVE"


def test_a_status_that_cannot_be_told_keeps_the_last_record() -> None:
    file = source_file(f"columns: {{user_status: {ENDS}}}\n")
    before = snapshot([account("a", end="01/01/2020", state="A")], file)
    made = normalized(
        [account("a", end="?", state="A"), account("b", end="", state="A")], file, before
    )
    assert made.snapshot.accounts["user_status"].to_list() == ["DEPROVISIONED", "ACTIVE"]
    assert made.counts["accounts"].rejected == 1


def test_an_id_may_be_made_of_columns_and_is_not_trimmed() -> None:
    file = source_file("columns: {integration_specific_id: {template: '{host}/{login}'}}\n")
    rows = [account("", host="h ", login=n) for n in ("ann", "")]
    made = normalized(rows, file)
    assert made.snapshot.accounts["integration_specific_id"].to_list() == ["h /ann"]
    assert made.counts["accounts"].rejected == 1


@pytest.mark.parametrize(
    ("expression", "cells", "time"),
    [
        ("[a, b]", {"a": "", "b": "2026-01-02T00:00:00Z"}, "2026-01-02"),
        ("[a, b]", {"a": "x", "b": "2026-01-02T00:00:00Z"}, "no_time"),
        ("{newest: [a, b]}", {"a": "2026-01-03", "b": "2026-01-02"}, "2026-01-03"),
        ("{newest: [a, b]}", {"a": "", "b": "2026-01-02"}, "2026-01-02"),
        ("{newest: [a, b]}", {"a": "2026-01-03", "b": "x"}, "no_time"),
        ("{newest: [a, b], format: excel, timezone: UTC}", {"a": "46024.5"}, "2026-01-02"),
        ("{newest: [a, b], never: [no]}", {"a": "No", "b": "2026-01-02"}, "2026-01-02"),
    ],
)
def test_a_time_may_come_of_several_columns(expression, cells, time) -> None:
    found = field("last_login", expression, **({"a": "", "b": ""} | cells))
    assert str(found).startswith(time)


def test_a_column_of_an_expression_that_is_gone_ends_the_run() -> None:
    file = source_file("columns: {email: [mail, upn]}\n")
    with pytest.raises(SourceFormatError, match="no column 'upn', wanted for email"):
        normalized([account("a", mail="m@x.org")], file)


def test_a_word_for_some_rows_that_is_also_a_column_is_refused() -> None:
    file = source_file(
        "columns: {given_name: {cases: [{when: {column: a, is: [x]}, then: y}], else: first}}\n"
    )
    with pytest.raises(SourceFormatError, match="'first' is a word for some rows"):
        normalized([account("a", a="", first="Ann")], file)


def test_columns_of_expressions_are_found_in_any_case() -> None:
    assert field("email", "[mail, {template: '{login}@x.org'}]", Mail="", LOGIN="a") == "a@x.org"
