"""The archive: snapshots, rejects and activity as Parquet, in a folder or a bucket."""
