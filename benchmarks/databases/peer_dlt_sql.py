"""dlt moving the same table to files with its arrow backend: in an environment that has `dlt`."""

import sys
from pathlib import Path

import dlt
from dlt.destinations import filesystem
from dlt.sources.sql_database import sql_table


def main() -> None:
    """`python peer_dlt_sql.py URL FOLDER`."""
    url = sys.argv[1].replace("postgresql://", "postgresql+psycopg2://")
    pipeline = dlt.pipeline(
        "benchmark",
        pipelines_dir=f"{sys.argv[2]}/state",
        destination=filesystem(bucket_url=Path(sys.argv[2]).absolute().as_uri()),
        dataset_name="benchmark",
    )
    accounts = sql_table(url, table="accounts", backend="pyarrow", chunk_size=50_000)
    pipeline.run(accounts, loader_file_format="parquet", write_disposition="replace")


if __name__ == "__main__":
    main()
