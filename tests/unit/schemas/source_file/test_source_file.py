"""Source files: what is understood, and what is said of the usual mistakes."""

import pytest

from schemas.errors import ConfigError
from schemas.source_file.file import to_source
from schemas.source_file.quantities import Limit
from tests.unit.builders import PATH, SMALLEST, source_file

TEXT = """\
app:
  name: X
source:
  kind: csv
  accounts: a.csv
"""

MISTAKES = [
    ("column:\n  email: mail\n", 6, "column", "did you mean columns?"),
    ("columns:\n  emial: mail\n", 7, "columns.emial", "did you mean email?"),
    ("columns:\n  last_login: {column: a, fromat: x}\n", 7, "columns.last_login.fromat", "format?"),
    ("entitlements:\n  - column: roles\n    typ: Role\n", 8, "entitlements.0.typ", "type?"),
    ("entitlements:\n  - {typ: Role, column: r}\n", 7, "entitlements.0.typ", "type?"),
    ("attributes:\n  Cost Center: {colum: x}\n", 7, "attributes.Cost Center.colum", "column?"),
    ("attributes:\n  email: mail\n", 6, "attributes", "is a field of every account"),
    ("attributes:\n  '*': mail\n", 6, "attributes", "cannot be a label"),
    ("columns:\n  email: []\n", 7, "columns.email", "name a column, a constant"),
    ("columns:\n", 6, "columns", "should be keys and values, or left out"),
    ("entitlements: {type: Role, column: r}\n", 6, "entitlements", "should be a list"),
    (
        "columns:\n  user_status:\n    column: s\n    values: {A: ACTVE}\n",
        9,
        "columns.user_status.values",
        "'ACTVE' is no status; one of DISCOVERED, ",
    ),
    ("columns:\n  user_status: {constant: on}\n", 7, "columns.user_status", "is no status"),
    ("columns:\n  account_type: {constant: robot}\n", 7, "columns.account_type", "user or service"),
    ("columns:\n  email: {column: a, constant: b}\n", 7, "columns.email", "one of them"),
    (
        "columns:\n  last_login: {column: a, timezone: Europe/Pris}\n",
        7,
        "columns.last_login.timezone",
        "'Europe/Pris' is no time zone",
    ),
    (
        "columns:\n  last_login: {column: a, timezone: localtime}\n",
        7,
        "columns.last_login.timezone",
        "is no time zone",
    ),
    ("columns:\n  last_login: {column: a, format: '%d.%m.%Y'}\n", 7, "columns.last_login", "%z"),
    ("guards:\n  max_removed_accounts: ten\n", 7, "guards.max_removed_accounts", "such as 10%"),
    ("guards:\n  max_removed_accounts: 101%\n", 7, "guards.max_removed_accounts", "100%"),
    ("guards:\n  min_accounts: -1\n", 7, "guards.min_accounts", "greater than or equal to 0"),
    ("upload:\n  accounts_per_request: some\n", 7, "upload.accounts_per_request", "write all"),
    ("upload:\n  accounts_per_request: ²\n", 7, "upload.accounts_per_request", "write all"),
    ("upload:\n  poll: {every: 2}\n", 7, "upload.poll.every", "such as 60s"),
    ("upload:\n  poll: {every: 9999999999d}\n", 7, "upload.poll.every", "is longer"),
    ("unknown_columns: ignore\n", 6, "unknown_columns", "should be 'warn', 'refuse' or"),
    ("schedule:\n  timezone: UTC\n", 6, "schedule.cron", "is missing"),
    ("schedule:\n  cron: banana\n", 7, "schedule.cron", "is no cron expression of five fields"),
    ("schedule:\n  cron: 61 2 * * *\n", 7, "schedule.cron", "Bad minute"),
    ("schedule:\n  cron: 0 0 2 * * *\n", 7, "schedule.cron", "is no cron expression of five"),
    ("schedule:\n  cron: 0 0 2 * * * *\n", 7, "schedule.cron", "is no cron expression of five"),
    ("schedule:\n  cron: 0 0 31 2,4 *\n", 7, "schedule.cron", "Bad day-of-month"),
]


@pytest.mark.parametrize(("more", "line", "key", "said"), MISTAKES)
def test_a_mistake_is_named_by_file_line_and_key(more, line, key, said) -> None:
    with pytest.raises(ConfigError) as caught:
        to_source(TEXT + more, "x", PATH)
    message = str(caught.value)
    assert message.startswith(f"sources/x.yaml:{line}: {key}: "), message
    assert said in message
    assert "\n" not in message
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("source: {kind: csv, accounts: a.csv}\n", "sources/x.yaml:1: app: is missing"),
        ("app: {name: X}\n", "sources/x.yaml:1: source: is missing"),
        (SMALLEST.replace("name: X", "name: X, id: Y"), "sources/x.yaml:1: app: name the app by"),
        (SMALLEST.replace("name: X", ""), "sources/x.yaml:1: app: name the app by name or by id"),
        (
            SMALLEST.replace("name: X", "id: X, create: {category: C, description: D}"),
            "sources/x.yaml:1: app: an app given by id is there already",
        ),
        (
            SMALLEST.replace("csv,", "xml,"),
            "sources/x.yaml:2: source.kind: should be one of 'csv', 'sql'",
        ),
        (SMALLEST.replace("csv,", "csv, csv: 1,"), "sources/x.yaml:2: source.csv: no such key"),
        (
            SMALLEST.replace("a.csv", "a.csv, separator: '\"'"),
            "sources/x.yaml:2: source.separator: write auto, tab, or characters",
        ),
        (
            SMALLEST.replace("a.csv", "a.csv, encoding: utf8mb4"),
            "sources/x.yaml:2: source.encoding: no such encoding",
        ),
        (
            SMALLEST.replace("a.csv", "a.csv, complete: {}"),
            "sources/x.yaml:2: source.complete: say what proves it",
        ),
    ],
)
def test_a_mistake_in_app_or_source_is_named_too(text, said) -> None:
    with pytest.raises(ConfigError) as caught:
        to_source(text, "x", PATH)
    assert str(caught.value).startswith(said)


def test_the_topmost_of_several_mistakes_is_named_and_the_rest_are_counted() -> None:
    with pytest.raises(ConfigError, match=r"^sources/x.yaml:6: gards: .* \(and 1 more\)$"):
        to_source(TEXT + "gards: {}\nuplod: {}\n", "x", PATH)


@pytest.mark.parametrize(
    "more",
    [
        "password: hunter2\n",
        "columns: {email: {constant: hunter2, pasword: hunter2}}\n",
        "columns: [hunter2]\n",
        "guards: {min_accounts: hunter2, max_removed_accounts: hunter2}\n",
        "rejected_rows: hunter2\n",
        "upload: {poll: {every: hunter2}, verify: hunter2}\n",
        "source_: {password: hunter2}\n",
    ],
)
def test_what_the_file_holds_is_not_quoted(more) -> None:
    with pytest.raises(ConfigError) as caught:
        to_source(TEXT + more, "x", PATH)
    assert "hunter2" not in str(caught.value)


def test_the_defaults_are_the_safe_ones() -> None:
    file = source_file()
    assert file.rejected_rows == "keep_last"
    assert file.unknown_columns == "warn"
    assert file.guards.min_accounts == 1
    assert file.guards.max_removed_accounts == Limit(0.1, is_share=True)
    assert file.upload.accounts_per_request == "all"
    assert file.upload.verify
    assert file.source.max_age is not None


def test_values_that_look_like_numbers_or_booleans_stay_text() -> None:
    values = "{00012: ACTIVE, no: suspended, 1.10: DELETED, null: STAGED, '': PENDING}"
    column = source_file(f"columns: {{user_status: {{column: s, values: {values}}}}}\n").columns
    assert column.user_status.values == {
        "00012": "ACTIVE",
        "no": "SUSPENDED",
        "1.10": "DEPROVISIONED",
        "null": "STAGED",
        "": "STAGED",
    }


def test_a_short_form_is_the_long_one() -> None:
    short = source_file("columns: {email: mail, last_login: seen}\n")
    long = source_file("columns: {email: {column: mail}, last_login: {column: seen}}\n")
    assert short == long


def test_null_takes_an_export_of_any_age() -> None:
    assert (
        to_source(SMALLEST.replace("a.csv", "a.csv, max_age: null"), "x", PATH).file.source.max_age
        is None
    )


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (ConfigError("holds a password", key="source.url"), 4),
        (ConfigError("say it in the dsn", key="source.tls"), 2),
        (ConfigError("list_accounts is missing", key="source.queries"), 5),
        (ConfigError("only reads are sent", key="list_accounts"), 6),
        (ConfigError("is not said", key="username"), 7),
        (ConfigError("entitlements: separator and quote are alike"), None),
        (ConfigError("NOPE is not set"), None),
        (ConfigError("no such key", key="entitlements.csv"), None),
    ],
    ids=str,
)
def test_a_problem_that_shows_later_is_told_with_the_line_of_its_key(
    problem: ConfigError, line: int | None
) -> None:
    text = (
        "app: {name: A}\nsource:\n  kind: sql\n  url: sqlite:///a.db\n  queries:\n"
        "    list_accounts: {file: q.sql}\n  username: jo\nentitlements: []\n"
    )
    located = to_source(text, "hr", "sources/hr.yaml").located_error(problem)
    assert str(located) == f"sources/hr.yaml{f':{line}' if line else ''}: {problem}"


def test_a_problem_of_a_drop_zone_has_the_line_of_its_key() -> None:
    text = (
        "app: {name: A}\nsource:\n  kind: csv\n  accounts: s3://b/a.csv\n  s3:\n"
        "    region: eu-west-1\n    ca_file: ca.pem\n"
    )
    problem = ConfigError("ca.pem cannot be read", key="s3.ca_file")
    located = to_source(text, "hr", "hr.yaml").located_error(problem)
    assert str(located) == "hr.yaml:7: s3.ca_file: ca.pem cannot be read"


def test_a_problem_of_the_activitys_own_source_has_the_line_there() -> None:
    text = (
        "app: {name: A}\nsource: {kind: csv, accounts: a.csv}\nactivity:\n  source:\n"
        "    kind: sql\n    url: jdbc:nosuch\n    queries: {list_activity_records: SELECT 1}\n"
    )
    source = to_source(text, "hr", "hr.yaml")
    lines = {"source.url": 6, "list_activity_records": 7, "source.tls": 4}
    for key, line in lines.items():
        located = source.located_error(ConfigError("no", key=key), "activity")
        assert str(located) == f"hr.yaml:{line}: {key}: no"
