"""LUMOS_INGEST_ARCHIVE in an object store: kept, read back, listed and let go, on each of them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import obstore
import polars as pl
import pytest
from obstore.store import AzureStore, GCSStore, S3Store

from loaders.archive.archive import Archive, open_archive
from schemas.errors import StateError

if TYPE_CHECKING:
    from tests.azure_server import AzureAccount
    from tests.gcs_server import Gcs

pytest_plugins = [
    "tests.azure_server",
    "tests.gcs_server",
    "tests.s3_server",
    "tests.snowflake_emulator",
]
RUNS = ("20260101T020000Z-aaaaaa", "20260201T020000Z-bbbbbb")


@pytest.fixture(params=["S3", "Azure", "GCS"])
def archive(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> tuple[Archive, S3Store | AzureStore | GCSStore]:
    """An archive as its variable names it, and the store that it lies in."""
    if request.param == "S3":
        new_bucket: Callable[[], S3Store] = request.getfixturevalue("new_bucket")
        store = new_bucket()
        env = {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": store.config["endpoint"],
            "AWS_ALLOW_HTTP": "true",
        }
        url = f"s3://{store.config['bucket']}/archive"
    elif request.param == "Azure":
        account: AzureAccount = request.getfixturevalue("azure_account")
        store = request.getfixturevalue("new_container")()
        env = {
            "AZURE_STORAGE_ACCOUNT_NAME": account.name,
            "AZURE_STORAGE_ACCOUNT_KEY": account.key,
            "AZURE_ENDPOINT": account.endpoint,
            "AZURE_ALLOW_HTTP": "true",
        }
        url = f"az://{store.config['container_name']}/archive"
    else:
        gcs: Gcs = request.getfixturevalue("gcs")
        store = request.getfixturevalue("new_gcs_bucket")()
        env = {"GOOGLE_SERVICE_ACCOUNT_KEY": gcs.service_account, "GOOGLE_ALLOW_HTTP": "true"}
        url = f"gs://{store.config['bucket']}/archive"
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return open_archive(url), store


def test_what_is_kept_in_a_store_is_read_back_listed_and_let_go(archive) -> None:
    kept, store = archive
    frame = pl.DataFrame({"id": ["00012", None], "at": [datetime(2026, 1, 1, tzinfo=UTC)] * 2})
    for run in RUNS:
        kept.save_frame("hr", run, "accounts", frame)
    assert kept.saved_runs("hr") == list(RUNS)
    assert kept.saved_runs("other") == []
    assert kept.saved_frame("hr", RUNS[0], "accounts").equals(frame)
    kept.forget("hr", (), datetime(2026, 1, 15, tzinfo=UTC))
    assert kept.saved_runs("hr") == [RUNS[1]]
    with pytest.raises(StateError, match="it is not there"):
        kept.saved_frame("hr", RUNS[0], "accounts")
    paths = [one["path"] for one in obstore.list(store).collect()]
    assert all(path.startswith(f"archive/hr/{RUNS[1]}/") for path in paths)


def test_a_frame_that_was_changed_in_the_store_is_told(archive) -> None:
    kept, store = archive
    kept.save_frame("hr", RUNS[0], "accounts", pl.DataFrame({"id": ["1"]}))
    [path] = [
        one["path"]
        for one in obstore.list(store).collect()
        if one["path"].endswith("accounts.parquet")
    ]
    obstore.put(store, path, b"PAR1 other PAR1", use_multipart=False)
    with pytest.raises(StateError, match="damaged"):
        kept.saved_frame("hr", RUNS[0], "accounts")
