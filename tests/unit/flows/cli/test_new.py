"""`new`: a source file that passes, proposed from an export, with no value of a row in it."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractors.read import read_source
from flows.cli.new.command import new_command
from flows.run.workspace import read_source_file
from schemas.errors import ConfigError
from schemas.snapshot import associations_of, empty_snapshot
from schemas.source_file.file import Source
from transforms.snapshot.snapshot import Normalized, to_snapshot

EXPORT = (
    "All staff\nCreated for Lumos\n\n"
    "Employee ID;Full Name;Work Email;Status;Last Login;Roles;Buyer;Approver;Department;api_key\n"
    '0007;"Quill, Ada";ada.quill@tern.example;Active;31/01/2026 10:15;a|b;X;;Sales;k1\n'
    '0008;"Rook, Bo";bo.rook@tern.example;Terminated;Never logged in;;;X;Sales;k2\n'
    '0009;"Swan, Cy";cy.swan@tern.example;Sabbatical;28/02/2026 08:00;b;;;Legal;k3\n'
    '0010;"Tarn, Di";di.tarn@tern.example;Active;15/03/2026 09:30;a;X;X;Legal;k4\n'
    "Total;4;;;;;;;;\n"
)


def made_of(content: str | bytes, folder: Path, name: str = "exports/hr_2026-03-16.csv") -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    assert new_command(folder, "hr", name, as_json=True) == 0
    return (folder / "sources/hr.yaml").read_text("utf-8")


def result(folder: Path) -> tuple[Source, Normalized]:
    source = read_source_file(folder / "sources/hr.yaml", folder)
    now = datetime.now(UTC)
    raw = read_source(source.file.source, folder, now=now, named=source.file.named)
    return source, to_snapshot(raw, source.file, empty_snapshot(), now)


def test_an_export_that_nobody_has_seen_gives_a_file_that_reads_it(tmp_path: Path) -> None:
    made_of(EXPORT, tmp_path)
    source, made = result(tmp_path)
    file = source.file
    assert file.source.accounts == "exports/hr_*.csv"
    assert file.source.skip_lines == 2
    assert file.columns.integration_specific_id.column == "Employee ID"
    assert file.columns.last_login.format == "%d/%m/%Y %H:%M"
    assert file.columns.last_login.never == ("Never logged in",)
    accounts = made.snapshot.accounts
    assert accounts["integration_specific_id"].to_list() == ["0007", "0008", "0010"]
    assert accounts["given_name"].to_list() == ["Ada", "Bo", "Di"]
    assert accounts["user_status"].to_list() == ["ACTIVE", "DEPROVISIONED", "ACTIVE"]
    assert made.rejects["code"].to_list() == ["unmapped_status"]
    held = [pair[:2] for pair in associations_of(made.snapshot).rows()]
    assert held == [
        ("0007", "Buyer"), ("0007", "a"), ("0007", "b"), ("0008", "Approver"),
        ("0010", "Approver"), ("0010", "Buyer"), ("0010", "a"),
    ]  # fmt: skip
    assert made.counts["accounts"].dropped == 1


def test_a_file_holds_no_value_of_a_row_but_words_of_a_status(tmp_path: Path) -> None:
    text = made_of(EXPORT, tmp_path)
    for value in ("Quill", "ada", "0007", "Sales", "Legal", "k1", "10:15"):
        assert value not in text
    assert "Left out, called like secrets: api_key" in text
    assert "Sabbatical is a reject until you say here what it means" in text


def test_nobody_is_open_by_a_guess_at_a_letter(tmp_path: Path) -> None:
    rows = "id,email,state\n1,a@x.org,A\n2,b@x.org,T\n3,c@x.org,A\n4,d@x.org,A\n"
    text = made_of(rows, tmp_path)
    assert "values: {}" in text
    assert result(tmp_path)[1].snapshot.accounts.is_empty()


def test_names_in_a_column_that_is_called_a_status_are_not_written_down(tmp_path: Path) -> None:
    surnames = ["Quill", "Marsh", "Holt", "Rowe", "Dunn", "Pike"]
    rows = "".join(f"{n},a{n}@x.org,{surnames[n % 6]}\n" for n in range(30))
    text = made_of(f"id,email,status\n{rows}", tmp_path)
    assert not [one for one in surnames if one in text]
    assert "6 words of 'status' have no known meaning and may be people's names" in text
    assert "column: status" in text


def test_a_name_among_the_words_of_a_status_is_not_written_down(tmp_path: Path) -> None:
    rows = "".join(f"{n},ann.quill{n}@x.org,Quill {n},active\n" for n in range(9))
    text = made_of(f"id,email,family name,status\n{rows}9,b@x.org,Holt,Quill\n", tmp_path)
    assert "Quill" not in text
    assert "active: ACTIVE" in text


def test_a_time_that_could_be_two_is_not_guessed(tmp_path: Path) -> None:
    text = made_of("id,email,last_login\n1,a@x.org,01/02/2026\n2,b@x.org,03/04/2026\n", tmp_path)
    assert "last_login:" not in text
    assert "'last_login' may be %d/%m/%Y or %m/%d/%Y" in text


def test_what_is_written_in_its_own_way_is_found(tmp_path: Path) -> None:
    text = made_of("id||email||active\n1||é@x.org||1\n2||b@x.org||0\n".encode("cp1252"), tmp_path)
    assert "separator: '||'" in text
    assert "encoding: windows-1252" in text
    (tmp_path / "sources/hr.yaml").unlink()
    text = made_of("1\t\\N\ta@x.org\n2\tx\\ty\tb@x.org\n", tmp_path)
    assert "header: false" in text


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://ann:pw@db.example/app", "url: 'postgresql://db.example/app'"),
        ("ldaps://ann:pw@dc1.example", "host: dc1.example"),
        ("https://ann:pw@scim.example/v2", "url: 'https://scim.example/v2'"),
    ],
)
def test_a_url_gives_a_file_without_its_password(url, says, tmp_path: Path) -> None:
    assert new_command(tmp_path, "db", url, as_json=True) == 0
    text = (tmp_path / "sources/db.yaml").read_text("utf-8")
    assert says in text
    assert "pw" not in text
    assert "env: DB_" in text


def test_the_tables_of_a_file_become_queries(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection, connection:
        connection.executescript(
            "CREATE TABLE users (id, badge, email, state, api_key, updated_at);"
            "CREATE TABLE roles (id, title); CREATE TABLE user_roles (user_id, role_id);"
            "INSERT INTO users VALUES (1, '007', 'a@tern.example', 'active', 'k', '2026-01-01'),"
            "(2, '008', 'b@tern.example', 'left', 'k', '2026-01-01');"
            "INSERT INTO roles VALUES (5, 'Admin'); INSERT INTO user_roles VALUES (2, 5);"
        )
    assert new_command(tmp_path, "hr", "sqlite:///app.db", as_json=True) == 0
    text = (tmp_path / "sources/hr.yaml").read_text("utf-8")
    assert "# freshness: {query: SELECT max(updated_at) FROM users, max_age: 2d}" in text
    assert "# Left out, called like secrets: api_key" in text
    assert "password" not in text
    snapshot = result(tmp_path)[1].snapshot
    assert snapshot.accounts["user_status"].to_list() == ["ACTIVE", "DEPROVISIONED"]
    assert [pair[:2] for pair in associations_of(snapshot).rows()] == [("2", "5")]
    assert snapshot.entitlements["label"].to_list() == ["Admin"]


def test_a_server_that_cannot_be_looked_at_is_told(tmp_path: Path, capsys) -> None:
    for name, url in (("pg", "postgresql://127.0.0.1:1/x"), ("ad", "ldap://127.0.0.1:1"),
                      ("idp", "http://127.0.0.1:1/scim")):  # fmt: skip
        assert new_command(tmp_path, name, url, as_json=True) == 0
        [doubt] = json.loads(capsys.readouterr().out)["doubts"]
        assert doubt.startswith("it could not be looked at")
        assert f"set {name.upper()}_" in doubt
        assert doubt in (tmp_path / f"sources/{name}.yaml").read_text("utf-8")
    with pytest.raises(ConfigError, match="nothing is known of such a URL"):
        new_command(tmp_path, "x", "gopher://x", as_json=True)


def test_what_is_there_already_is_not_written_over(tmp_path: Path, capsys) -> None:
    made_of(EXPORT, tmp_path)
    assert json.loads(capsys.readouterr().out)["source"] == "hr"
    with pytest.raises(ConfigError, match="is there already"):
        new_command(tmp_path, "hr", "exports/hr_2026-03-16.csv", as_json=True)
    with pytest.raises(ConfigError, match="no such file"):
        new_command(tmp_path, "other", "exports/gone.csv", as_json=True)
