"""`python -m lumos_ingest`: the same as `lumos-ingest`."""

from lumos_ingest.command import main

main()
