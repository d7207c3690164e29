"""Columns go by Lumos's labels, in any case; what is missing, doubled or unknown is named."""

import polars as pl
import pytest

from extractors.sql.queries.labels import LABELS, check_labels, labelled
from extractors.sql.session.session import Fetched
from schemas.errors import SourceFormatError

NOBODY: frozenset[str] = frozenset()


def fetched(**columns: list[str | None]) -> Fetched:
    rows = pl.DataFrame(list(columns.values()), schema=[str(n) for n in range(len(columns))])
    return Fetched(rows.cast(pl.String), tuple(columns))


def test_labels_match_in_any_case_and_other_columns_keep_theirs() -> None:
    names = check_labels(("INTEGRATION_SPECIFIC_ID", "Email", "Cost Center"), "list_accounts", "q")
    assert names == ("integration_specific_id", "email", "Cost Center")


def test_oracles_short_labels_are_labels() -> None:
    found = ("ACCOUNT_ID", "INTEG_SPECIFIC_ENTITLEMENT_ID", "INTEG_SPECIFIC_RESOURCE_ID")
    assert check_labels(found, "find_entitlement_associations", "q") == (
        "account_id",
        "integration_specific_entitlement_id",
        "integration_specific_resource_id",
    )


@pytest.mark.parametrize("capability", [name for name, labels in LABELS.items() if labels.required])
def test_a_missing_label_is_named_with_its_capability(capability: str) -> None:
    for missing in LABELS[capability].required:
        found = tuple(name for name in LABELS[capability].required if name != missing)
        with pytest.raises(SourceFormatError, match=f"^{capability}: no column label {missing};"):
            check_labels(found, capability, capability)


def test_two_columns_with_one_label_are_refused() -> None:
    with pytest.raises(SourceFormatError, match="two columns with the label email"):
        check_labels(("integration_specific_id", "email", "EMAIL"), "list_accounts", "q")


def test_columns_that_the_source_file_maps_need_no_label() -> None:
    assert check_labels(("emp_id",), "list_accounts", "q", frozenset({"emp_id"})) == ("emp_id",)


def test_a_column_that_means_nothing_is_left_out_and_named() -> None:
    found = fetched(integration_specific_id=["1"], label=["a"], resource_type=["b"], colour=["c"])
    rows, warnings = labelled(found, "list_resources", "q", trim_ids=False, named=NOBODY)
    assert rows.columns == ["integration_specific_id", "label", "resource_type"]
    assert warnings == ["q: columns that mean nothing here are left out: colour"]


def test_padding_is_taken_off_ids_only_on_request() -> None:
    found = fetched(integration_specific_id=[" 7  ", None], email=["a  ", ""])
    kept, _ = labelled(found, "list_accounts", "q", trim_ids=False, named=NOBODY)
    trimmed, _ = labelled(found, "list_accounts", "q", trim_ids=True, named=NOBODY)
    assert kept.rows() == [(" 7  ", "a  "), (None, "")]
    assert trimmed.rows() == [(" 7", "a  "), (None, "")]


@pytest.mark.parametrize(("trims", "count"), [(False, 1), (True, 0)])
def test_ids_that_end_in_blanks_are_told_of(*, trims: bool, count: int) -> None:
    padded = fetched(integration_specific_id=["admin ", "reader"], email=["a ", "b"])
    rows, warnings = labelled(padded, "list_accounts", "q", trim_ids=trims, named=NOBODY)
    assert rows["integration_specific_id"].to_list() == ["admin" if trims else "admin ", "reader"]
    assert rows["email"].to_list() == ["a ", "b"]
    assert len(warnings) == count
    assert all("trim_ids: true" in one for one in warnings)
