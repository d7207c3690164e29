"""The floor: the bare fastest reader, a COPY into polars in batches; nothing is checked."""

import io
import sys

import polars as pl
import psycopg

BATCH_BYTES = 8 * 1024 * 1024


def main() -> None:
    """`python -m benchmarks.databases.sql_floor URL`."""
    batches, buffer = [], io.BytesIO()
    with psycopg.connect(sys.argv[1]) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY (SELECT * FROM accounts) TO STDOUT (FORMAT csv)") as copy:
            for message in copy:
                buffer.write(message)
                if buffer.tell() >= BATCH_BYTES:
                    batches.append(_parsed(buffer))
                    buffer = io.BytesIO()
        if buffer.tell():
            batches.append(_parsed(buffer))
    accounts = pl.concat(batches)
    print(f"{accounts.height} accounts")


def _parsed(buffer: io.BytesIO) -> pl.DataFrame:
    buffer.seek(0)
    return pl.read_csv(buffer, has_header=False, infer_schema=False)


if __name__ == "__main__":
    main()
