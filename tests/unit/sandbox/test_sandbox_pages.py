import sqlite3

from sandbox.state.moment import Moment, PageIndex

SELECT = "SELECT seq FROM t WHERE kind = :kind ORDER BY seq"


def numbers(index: PageIndex, connection: sqlite3.Connection, kind: str) -> list[int]:
    return list(index.numbers(Moment(connection, 0.0, index), SELECT, {"kind": kind}))


def test_a_list_is_looked_up_once_for_as_long_as_nothing_changes() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (seq INTEGER PRIMARY KEY, kind TEXT)")
    connection.executemany("INSERT INTO t (kind) VALUES (?)", [("a",), ("b",), ("a",)])
    index, statements = PageIndex(), []
    connection.set_trace_callback(statements.append)
    for _ in range(3):
        assert numbers(index, connection, "a") == [1, 3]
        assert numbers(index, connection, "b") == [2]
    assert len([one for one in statements if one.startswith("SELECT")]) == 2
    connection.execute("INSERT INTO t (kind) VALUES ('a')")
    assert numbers(index, connection, "a") == [1, 3, 4]
    connection.execute("DELETE FROM t WHERE seq = 1")
    assert numbers(index, connection, "a") == [3, 4]
    connection.close()
