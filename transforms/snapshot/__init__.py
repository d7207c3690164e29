"""The snapshot of an app, with the records that rejected rows keep."""
