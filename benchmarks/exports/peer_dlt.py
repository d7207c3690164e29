"""dlt moving the same file to JSON lines, none of the checks: in an environment that has `dlt`."""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import dlt
from dlt.destinations import filesystem


@dlt.resource(name="accounts", max_table_nesting=0)
def accounts(path: str) -> Iterator[list[dict[str, str]]]:
    """The file's rows as dicts, in batches: the standard library reads, dlt does the rest."""
    with Path(path).open(newline="") as file:
        batch = []
        for row in csv.DictReader(file):
            batch.append(row)
            if len(batch) == 10_000:
                yield batch
                batch = []
        yield batch


def main() -> None:
    """`python peer_dlt.py accounts.csv FOLDER`."""
    pipeline = dlt.pipeline(
        "benchmark",
        pipelines_dir=f"{sys.argv[2]}/state",
        destination=filesystem(bucket_url=Path(sys.argv[2]).absolute().as_uri()),
        dataset_name="benchmark",
    )
    pipeline.run(accounts(sys.argv[1]), loader_file_format="jsonl", write_disposition="replace")


if __name__ == "__main__":
    main()
