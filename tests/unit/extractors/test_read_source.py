"""The one way in: a source of any kind, now or of a past day."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from extractors.read import read_source
from schemas.errors import ConfigError
from schemas.source_file.kinds.directory_source import LdifSource

_NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_source_without_exports_of_past_days_is_never_read_as_it_is_now(tmp_path: Path) -> None:
    (tmp_path / "x.ldif").write_text("dn: cn=a\nobjectClass: person\ncn: a\n\n", "utf-8")
    source = LdifSource(kind="ldif", file="x.ldif", max_age=None)
    with pytest.raises(ConfigError, match=r"^source\.kind: ldif keeps no exports of past days"):
        read_source(source, tmp_path, now=_NOW, as_of=date(2026, 1, 2))
