#!/usr/bin/env bash
# A snapshot of PostgreSQL's shows a table empty that never was.
#
# A nightly job loads a table anew in one transaction: TRUNCATE and INSERT, or a new table that is renamed into the
# old one's place. At no moment is the table empty, for anybody. But a REPEATABLE READ transaction whose snapshot is
# older, and which has not touched the table yet, then finds it with no row: neither yesterday's nor today's, and no
# error. Changing a column's type is enough, where no row was changed at all. DELETE and INSERT show it yesterday's
# rows, as one expects of a snapshot, and so does VACUUM FULL. A reader of several tables in one snapshot gets all
# people and nobody's roles. MariaDB's InnoDB, in a consistent snapshot, refuses the read with error 1412 in all of
# these cases but the DELETE.
#
# Seen with PostgreSQL 15.18 and MariaDB 10.11.19 (both Debian 12), psycopg 3.3.9, PyMySQL 1.2.4; 5 rows before, 2
# after:
#                          PostgreSQL   MariaDB
#     delete, insert       5 rows       5 rows
#     truncate, insert     0 rows       error 1412
#     rename into place    0 rows       error 1412
#     change a type        0 rows of 5  error 1412
#     vacuum full          5 rows       error 1412 (optimize table)
#
# Needs python3 with venv and Debian 12's package lists; nothing is installed on the system.
set -euo pipefail
work=$(mktemp -d)
chmod 755 "$work"
servers=()
trap 'for server in "${servers[@]}"; do kill "$server" && wait "$server" || true; done; rm -rf "$work"' EXIT

debian() { # unpacks packages below $work/root, with what they need that this machine lacks
	local all
	all=("$@" $(apt-get -s install --no-install-recommends "$@" | awk '/^Inst/ {print $2}'))
	(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "${all[@]}")
	for deb in "$work"/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
}
debian 'postgresql-15=15.*' 'mariadb-server=1:10.11.*' 'mariadb-server-core=1:10.11.*' 'mariadb-client-core=1:10.11.*'
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check 'psycopg[binary]==3.3.9' PyMySQL==1.2.4

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
libraries="$work/root/usr/lib/$(uname -m)-linux-gnu"
user=()
[ "$(id -u)" != 0 ] || user=(setpriv --reuid=nobody --regid=nogroup --clear-groups) # PostgreSQL refuses to run as root
mkdir "$work/postgresql" "$work/mariadb"
[ "$(id -u)" != 0 ] || chown nobody "$work/postgresql"

postgresql=$(free_port)
bin="$work/root/usr/lib/postgresql/15/bin"
LD_LIBRARY_PATH="$libraries" "${user[@]}" \
	"$bin/initdb" -D "$work/postgresql/data" -U reader -A trust --no-sync >/dev/null
LD_LIBRARY_PATH="$libraries" "${user[@]}" "$bin/postgres" -D "$work/postgresql/data" -p "$postgresql" \
	-c listen_addresses=127.0.0.1 -c unix_socket_directories= >"$work/postgresql.log" 2>&1 &
servers+=($!)

mariadb=$(free_port)
options=(--no-defaults --datadir="$work/mariadb/data" --basedir="$work/root/usr" --user="$(id -un)")
LD_LIBRARY_PATH="$libraries" "$work/root/usr/bin/mariadb-install-db" "${options[@]}" --skip-test-db \
	--auth-root-authentication-method=normal >"$work/mariadb.log" 2>&1
LD_LIBRARY_PATH="$libraries" "$work/root/usr/sbin/mariadbd" "${options[@]}" --port="$mariadb" --bind-address=127.0.0.1 \
	--socket="$work/mariadb/socket" --pid-file="$work/mariadb/pid" >>"$work/mariadb.log" 2>&1 &
servers+=($!)
for port in "$postgresql" "$mariadb"; do
	for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.2; done
done

"$work/venv/bin/python" - "$postgresql" "$mariadb" <<'END'
import sys
import time

import psycopg
import pymysql


def connected(connect):
    for _ in range(50):
        try:
            return connect()
        except (psycopg.OperationalError, pymysql.err.OperationalError):
            time.sleep(0.2)
    return connect()


def postgresql(**more):
    return psycopg.connect(host="127.0.0.1", port=int(sys.argv[1]), user="reader", dbname="postgres", **more)


def mariadb(**more):
    return pymysql.connect(host="127.0.0.1", port=int(sys.argv[2]), user="root", **more)


LOAD = "INSERT INTO {} VALUES (6, 'new'), (7, 'new')"
CHANGES = {
    "delete, insert": ["BEGIN", "DELETE FROM grants", LOAD.format("grants"), "COMMIT"],
    "truncate, insert": ["BEGIN", "TRUNCATE TABLE grants", LOAD.format("grants"), "COMMIT"],
    "rename into place": [
        "CREATE TABLE fresh (id int PRIMARY KEY, role varchar(9))",
        LOAD.format("fresh"),
        "ALTER TABLE grants RENAME TO stale",
        "ALTER TABLE fresh RENAME TO grants",
    ],
    "change a type": {
        "postgresql": ["ALTER TABLE grants ALTER COLUMN id TYPE bigint"],
        "mariadb": ["ALTER TABLE grants MODIFY id bigint"],
    },
    "vacuum full": {"postgresql": ["VACUUM FULL grants"], "mariadb": ["OPTIMIZE TABLE grants"]},
}
SNAPSHOT = {
    "postgresql": ["BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"],
    "mariadb": [
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ],
}


def count(cursor):
    cursor.execute("SELECT count(*) FROM grants")
    return cursor.fetchone()[0]


def seen(kind, connect, change):
    """What the older snapshot finds in the table, and what a new statement does."""
    writer, reader = connect(autocommit=True), connect(autocommit=True)
    write, read = writer.cursor(), reader.cursor()
    if kind == "mariadb":
        write.execute("CREATE DATABASE IF NOT EXISTS work")
        write.execute("USE work")
        read.execute("USE work")
    for table in ("grants", "stale", "fresh", "people"):
        write.execute(f"DROP TABLE IF EXISTS {table}")
    write.execute("CREATE TABLE people (id int)")
    write.execute("CREATE TABLE grants (id int PRIMARY KEY, role varchar(9))")
    write.execute("INSERT INTO grants VALUES (1, 'old'), (2, 'old'), (3, 'old'), (4, 'old'), (5, 'old')")
    for statement in [*SNAPSHOT[kind], "SELECT * FROM people"]:
        read.execute(statement)
    for statement in change[kind] if isinstance(change, dict) else change:
        write.execute(statement)
    try:
        found = count(read)
    except pymysql.err.OperationalError as error:
        found = f"error {error.args[0]}"
    now = count(write)
    reader.close()
    writer.close()
    return found, now


connected(postgresql).close()
connected(mariadb).close()
table = {
    title: (seen("postgresql", postgresql, change), seen("mariadb", mariadb, change))
    for title, change in CHANGES.items()
}
for title, (ours, theirs) in table.items():
    print(f"{title:18} PostgreSQL: {ours[0]} rows, now {ours[1]}   MariaDB: {theirs[0]}, now {theirs[1]}")
assert table == {
    "delete, insert": ((5, 2), (5, 2)),
    "truncate, insert": ((0, 2), ("error 1412", 2)),
    "rename into place": ((0, 2), ("error 1412", 2)),
    "change a type": ((0, 5), ("error 1412", 5)),
    "vacuum full": ((5, 5), ("error 1412", 5)),
}
END
echo "as described"
