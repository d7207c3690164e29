"""A peer: the same query into a frame of the peer's own types; nothing is made text.

Runs in an environment with `polars`, `pyarrow`, `arrow-odbc`, `adbc-driver-sqlite`, `connectorx`.
"""

import sys

import polars as pl

QUERY = "SELECT * FROM accounts"


def main() -> None:
    """`PYTHON peer_sql_ways.py arrow-odbc|adbc|connectorx PLACE`."""
    way, place = sys.argv[1:]
    if way == "arrow-odbc":
        from arrow_odbc import connect

        reader = connect(place, autocommit=False).read_arrow_batches(
            QUERY, batch_size=20_000, max_text_size=4000
        )
        rows = pl.concat([pl.from_arrow(batch) for batch in reader])
    elif way == "adbc":
        import adbc_driver_sqlite.dbapi

        cursor = adbc_driver_sqlite.dbapi.connect(place).cursor()
        cursor.execute(QUERY)
        rows = pl.from_arrow(cursor.fetch_arrow_table())
    else:
        import connectorx

        rows = connectorx.read_sql(place, QUERY, return_type="polars")
    print(f"{rows.height} rows")


if __name__ == "__main__":
    main()
