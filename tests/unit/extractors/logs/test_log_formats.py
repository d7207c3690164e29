"""Logs of every form, read as the tables that they are: exactly, and in blocks of any size."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import zstandard

from extractors.activity import Span, probe_activity, read_activity
from extractors.logs import json_records
from schemas.errors import SourceFormatError, SourceIncompleteError
from schemas.raw import RawTable
from schemas.source_file.kinds.csv_source import ActivitySource
from schemas.source_file.logs import LogFormat, LogShape
from schemas.tables import REJECTS, ROW

NOW = datetime(2026, 7, 10, tzinfo=UTC)
WHO = ("actor.alternateId", "published", "outcome.result")


def _source(name: str) -> ActivitySource:
    return ActivitySource(kind="csv", activity=name, max_age=None)


def read(
    folder: Path,
    content: str | bytes,
    form: object = "auto",
    columns: tuple[str, ...] = WHO,
    name: str = "log",
    needed: tuple[str, ...] = (),
    usual: tuple[str, ...] = (),
) -> RawTable:
    """The whole log as one table."""
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    shape = LogShape(LogFormat.model_validate(form), columns, usual, needed)
    tables = list(read_activity(_source(name), folder, Span(), shape=shape, now=NOW))
    assert all(
        table.read_count == table.rows.height + table.rejects.height + table.dropped_count
        for table in tables
    )
    empty = pl.DataFrame(schema={ROW: pl.UInt32()})
    rows = pl.concat([*(table.rows for table in tables), empty], how="diagonal")
    rejects = pl.concat([pl.DataFrame(schema=REJECTS), *(table.rejects for table in tables)])
    read_count = sum(table.read_count for table in tables)
    dropped = sum(table.dropped_count for table in tables)
    return RawTable("activity", rows, rejects, read_count, "log", dropped_count=dropped)


def rows(table: RawTable) -> list[tuple[object, ...]]:
    return table.rows.drop(ROW).rows()


OKTA = [
    {"published": "2026-07-01T10:00:00.123Z", "actor": {"alternateId": "ann@x.example", "n": 1},
     "outcome": {"result": "SUCCESS"}, "target": [{"id": "t1"}]},
    {"published": "2026-07-01T11:00:00Z", "actor": {"alternateId": "ben@x.example"},
     "outcome": {"result": "FAILURE", "reason": None}, "target": []},
    {"published": "2026-07-01T12:00:00Z", "actor": None},
]  # fmt: skip
READ = [
    ("ann@x.example", "2026-07-01T10:00:00.123Z", "SUCCESS"),
    ("ben@x.example", "2026-07-01T11:00:00Z", "FAILURE"),
    (None, "2026-07-01T12:00:00Z", None),
]
LINES = "\n".join(json.dumps(one) for one in OKTA) + "\n"
ARRAY = json.dumps(OKTA)


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (LINES, "auto"),
        (LINES, "jsonl"),
        (LINES.replace("\n", "\r\n\r\n"), "auto"),
        ("\ufeff" + LINES, "auto"),
        (ARRAY, "auto"),
        (json.dumps(OKTA, indent=2), "json"),
        (json.dumps({"Records": OKTA}), "auto"),
        (json.dumps({"ok": True, "paging": {"n": 1}, "logins": OKTA}, indent=1), "auto"),
        ("\n".join(json.dumps(one, indent=1) for one in OKTA), "auto"),
        (f"{json.dumps(OKTA[:2])}\n{json.dumps(OKTA[2:])}\n", "json"),
        (f"{json.dumps({'Records': OKTA[:1]})}{json.dumps({'Records': OKTA[1:]})}", "json"),
    ],
)
def test_records_of_json_are_read_by_paths_wherever_they_stand(
    content: str, form: str, tmp_path: Path
) -> None:
    assert rows(read(tmp_path, content, form)) == READ


@pytest.mark.parametrize("content", [LINES, ARRAY, json.dumps({"Records": OKTA})])
def test_a_compressed_log_is_read_as_it_is(content: str, tmp_path: Path) -> None:
    gz = gzip.compress(content.encode())
    zst = zstandard.ZstdCompressor().compress(content.encode())
    assert rows(read(tmp_path, gz, name="log.json.gz")) == READ
    assert rows(read(tmp_path, zst, name="log.zst")) == READ
    with pytest.raises(SourceIncompleteError, match="cut off or damaged"):
        read(tmp_path, gz[:-12], name="log.gz")


@pytest.mark.parametrize("block", [1, 2, 7, 64])
@pytest.mark.parametrize("small", [0, 1 << 20])
@pytest.mark.parametrize(
    "content",
    [ARRAY, json.dumps({"x": {"y": [1, "]}"]}, "Records": OKTA, "z": 1}), json.dumps(OKTA[0])],
)
def test_a_document_is_read_in_blocks_of_any_size(
    content: str, small: int, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_records, "_BLOCK", block)
    if content.startswith('{"x"') or small:
        monkeypatch.setattr(json_records, "_SMALL", small)
    expected = READ[:1] if content == json.dumps(OKTA[0]) else READ
    assert rows(read(tmp_path, content, "json")) == expected


@pytest.mark.parametrize("value", [
    ("00012", "00012"), (12, "12"), (12345678901234567890, "12345678901234567890"),
    (None, None), (True, "true"), ("", ""), ({"a": 1.50}, '{"a":"1.5"}'), (["a"], '["a"]'),
    ("Zoë \U0001f600", "Zoë \U0001f600"),
])  # fmt: skip
def test_a_value_is_the_text_that_stands_there(
    value: tuple[object, str | None], tmp_path: Path
) -> None:
    record = json.dumps({"id": value[0], "at": "x"})
    for content in (record, f"[{record}]"):
        assert rows(read(tmp_path, content, columns=("id", "at"))) == [(value[1], "x")]


@pytest.mark.parametrize("number", ["1764544558.123", "1.50", "1e400", "123456789012345678901234"])
def test_a_number_is_never_rounded(number: str, tmp_path: Path) -> None:
    record = f'{{"at": {number}}}'
    for content in (record, f"[{record}]"):
        assert rows(read(tmp_path, content, columns=("at",))) == [(number,)]


def test_paths_lead_into_lists_and_past_keys_with_dots(tmp_path: Path) -> None:
    record = {"user.name": "ann", "user": {"name": "other"}, "t": [{"id": 1}, {"id": 2}],
              "one": [{"id": 3}], "deep": {"er": {"id": 4}}}  # fmt: skip
    columns = ("user.name", "t[0].id", "t.1.id", "t.id", "t[9].id", "one.id", "deep.er.id", "no.x")
    found = rows(read(tmp_path, json.dumps(record), columns=columns))
    assert found == [("ann", "1", "2", None, None, "3", "4", None)]


def test_a_field_that_is_not_named_counts_once_a_record_has_it(tmp_path: Path) -> None:
    content = '{"timestamp": "x", "email": "a@x"}\n{"timestamp": "y", "account_id": "b"}\n'
    table = read(tmp_path, content, columns=(), usual=("account_id", "email", "timestamp", "other"))
    assert set(table.rows.columns) == {"account_id", "email", "timestamp", ROW}


def test_lines_that_are_no_records_are_rejects_under_their_number(tmp_path: Path) -> None:
    content = '{"id": "a"}\n\nnot json\n{"id": "b"}\n["c"]\n{"id": "d"'
    table = read(tmp_path, content, columns=("id",))
    assert table.rows[ROW].to_list() == [1, 4]
    assert table.rejects["row"].to_list() == [3, 5, 6]
    assert table.rejects["value"].to_list() == ["not json", '["c"]', '{"id": "d"']
    assert table.rejects["reason"].unique().to_list() == ["no JSON object"]


def test_items_that_are_no_records_are_rejects_under_theirs(tmp_path: Path) -> None:
    table = read(tmp_path, '[{"id": "a"}, 7, {"id": "b"}]', columns=("id",))
    assert table.rows[ROW].to_list() == [1, 3]
    assert table.rejects.select("row", "value").rows() == [(2, '"7"')]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (ARRAY[:-1], "ends in the middle, after 3 records"),
        (ARRAY[: len(ARRAY) // 2], "ends in the middle"),
        ('{"Records": [{"published": "x"}', "ends in the middle"),
    ],
)
def test_a_document_that_is_cut_off_is_an_error(
    content: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for small in (json_records._SMALL, 0):
        monkeypatch.setattr(json_records, "_SMALL", small)
        with pytest.raises(SourceIncompleteError, match=problem):
            read(tmp_path, content, "json")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"a": [{"x": 1}], "b": [{"x": 2}]}', "several lists of records in one object"),
        ("id,at\n1,2\n", "is no JSON after 0 records"),
        ('[{"published": "x"} {"published": "y"}]', "is no JSON after 1 records"),
    ],
)
def test_what_is_no_such_document_is_told(content: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match=problem):
        read(tmp_path, content, "json")


def test_a_path_that_is_needed_and_leads_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match=r"none of 3 records has 'outcome\.resul'"):
        read(tmp_path, LINES, needed=("outcome.resul",), columns=("outcome.resul",))
    assert rows(read(tmp_path, '{"Records": []}', needed=("published",))) == []


COMMON = """\
10.0.0.1 - ann [10/Oct/2026:13:55:36 -0700] "GET /a HTTP/1.1" 200 2326
h.example:443 10.0.0.2 - - [10/Oct/2026:13:55:37 -0700] "GET /b HTTP/1.1" 401 -
10.0.0.3 id Ben Kay [10/Oct/2026:13:55:38 -0700] "GET /\\"q\\" HTTP/1.1" 302 0 "-" "my \\"8\\"" 0.1

no such line
10.0.0.4 - cleo [10/Oct/2026:13:55:39 -0700] "-" 408 0 "-" "-"
"""


def test_the_common_log_format_is_read_and_a_request_of_nobody_is_no_row(tmp_path: Path) -> None:
    columns = ("user", "time", "status")
    table = read(tmp_path, COMMON, "auto", columns)
    assert table.rows.select("host", "user", "status", "agent", ROW).rows() == [
        ("10.0.0.1", "ann", "200", "", 1),
        ("10.0.0.3", "Ben Kay", "302", 'my \\"8\\"', 3),
        ("10.0.0.4", "cleo", "408", "", 6),
    ]
    assert (table.dropped_count, table.rejects["row"].to_list()) == (1, [5])
    assert table.rows["time"][0] == "10/Oct/2026:13:55:36 -0700"
    everyone = read(tmp_path, COMMON, "common_log", ("host", "time"))
    assert everyone.rows["user"].to_list() == ["ann", "", "Ben Kay", "cleo"]


def test_columns_of_fixed_widths_are_cut_by_characters(tmp_path: Path) -> None:
    content = (
        "anné     pts/0   Mon Nov 30 10:00\nben      tty1\n\nreboot   system  Mon Nov 30 09:00 x"
    )
    table = read(tmp_path, content, {"widths": {"user": 9, "line": 8, "at": 3}}, ())
    assert table.rows.rows() == [
        ("anné", "pts/0", "Mon Nov 30 10:00", 1),
        ("ben", "tty1", "", 2),
        ("reboot", "system", "Mon Nov 30 09:00 x", 4),
    ]


def test_postgresql_s_csvlog_is_read_under_the_names_of_its_documentation(tmp_path: Path) -> None:
    line = '2026-07-01 10:00:00.123 CEST,"ann","app",7,"[local]",s,1,"authentication",t,3/1,0,LOG,00000,"a\nb",,,,,,,,,"psql","client backend",,0'  # noqa: E501
    table = read(tmp_path, f"{line}\n{line}\n", "csvlog", ())
    assert table.rows.columns[:3] == ["log_time", "user_name", "database_name"]
    assert table.rows.columns[-2:] == ["query_id", ROW]
    assert table.rows.select("command_tag", "message", ROW).rows() == [
        ("authentication", "a\nb", 1),
        ("authentication", "a\nb", 3),
    ]


def test_a_log_that_is_csv_is_told_by_its_first_line_too(tmp_path: Path) -> None:
    assert rows(read(tmp_path, "who,at\nann,1\n", "auto", ())) == [("ann", "1")]
    assert rows(read(tmp_path, "[who];[at]\nann;1\n", "auto", ())) == [("ann", "1")]
    assert rows(read(tmp_path, "{who};at\nann;1\n", "auto", ())) == [("ann", "1")]


@pytest.mark.parametrize(
    ("content", "form", "columns"),
    [
        (LINES, "jsonl", ("published", "actor.alternateId", "outcome.result")),
        (json.dumps({"Records": OKTA}), "json", ("published", "actor.alternateId")),
        (COMMON, "common_log", ("host", "user", "status")),
        ("ann      x", {"widths": {"user": 9, "line": 8}}, ("user", "line")),
    ],
)
def test_a_look_tells_the_columns(
    content: str, form: object, columns: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "log").write_text(content, "utf-8")
    shape = LogShape(LogFormat.model_validate(form), ("published", "typo"), (), ("typo",))
    [probe] = probe_activity(_source("log"), tmp_path, shape=shape, now=NOW)
    assert probe.columns is not None
    assert set(columns) <= set(probe.columns)
    assert "typo" not in probe.columns


@pytest.mark.parametrize("quoted", [False, True])
def test_rows_wider_than_the_header_are_rejects_or_cut_as_it_is_chosen(
    quoted: bool, tmp_path: Path
) -> None:
    ann = '"a,nn"' if quoted else "ann"
    (tmp_path / "log").write_text(f"who,at\n{ann},1,x,y\nben,2\ncleo\n", "utf-8")
    source = ActivitySource(kind="csv", activity="log", max_age=None)
    rejected = list(read_activity(source, tmp_path, Span(), now=NOW))
    cutting = source.model_copy(update={"wide_rows": "cut"})
    cut = list(read_activity(cutting, tmp_path, Span(), now=NOW))
    assert [table.rows["who"].to_list() for table in rejected] == [["ben"]]
    assert [table.rejects["row"].to_list() for table in rejected] == [[2, 4]]
    assert [table.rows.rows() for table in cut] == [[(ann.strip('"'), "1", 2), ("ben", "2", 3)]]
    assert [table.rejects["row"].to_list() for table in cut] == [[4]]


def test_a_day_on_which_nothing_happened_is_no_failure_where_logs_have_no_header(
    tmp_path: Path,
) -> None:
    for name, content in (("a.log", ""), ("b.log", COMMON), ("c.log", "")):
        (tmp_path / name).write_text(content, "utf-8")
    source = ActivitySource(kind="csv", activity="*.log", max_age=None)
    shape = LogShape(LogFormat(name="common_log"), ("user", "time"))
    [table] = read_activity(source, tmp_path, Span(), shape=shape, now=NOW)
    assert table.rows.height == 3
    (tmp_path / "b.log").write_text("", "utf-8")
    with pytest.raises(SourceIncompleteError, match="is empty"):
        list(read_activity(source, tmp_path, Span(), shape=shape, now=NOW))
