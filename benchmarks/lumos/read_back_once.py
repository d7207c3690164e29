"""Reads an app back once and compares it with what it should hold; of this build or an earlier one.

`PYTHON read_back_once.py URL ACCOUNTS`, with the Python of the build's environment.
"""

import sys

import polars as pl
from pydantic import SecretStr

try:
    from loaders.lumos.accounts import compare_with_app
    from loaders.lumos.client import LumosApi
except ImportError:
    compare_with_app = None
    from loaders.accounts import compare_accounts, read_accounts
    from loaders.lumos_api import LumosApi


def main() -> None:
    """Reads and compares, and fails where the two are not the same."""
    url, count = sys.argv[1], int(sys.argv[2])
    sent = pl.select(
        unique_identifier=pl.format("u{}", pl.int_range(count)), status=pl.lit("ACTIVE")
    )
    with LumosApi(url, SecretStr("token")) as api:
        if compare_with_app is not None:
            differences = compare_with_app(api, "app", sent)
        else:
            differences = compare_accounts(sent, read_accounts(api, "app"))
    if differences.height:
        raise SystemExit("the app does not hold what it should")


if __name__ == "__main__":
    main()
