"""What a session is told, so that the text it hands over is canonical and whole."""

from extractors.sql_session import Session, run
from schemas.errors import SourceFormatError


def postgresql_settings(zone: str | None) -> str:
    """A query that has PostgreSQL write, in this transaction, what `sql_postgresql_values` reads.

    A query and no SET, which Java's driver takes for a statement without rows.
    """
    settings = {
        "TimeZone": zone or "UTC",
        "DateStyle": "ISO, YMD",
        "IntervalStyle": "iso_8601",
        "bytea_output": "hex",
        "extra_float_digits": "1",
        # A policy that hides rows is an error then.
        "row_security": "off",
    }
    changes = (f"set_config('{name}', '{to}', true) AS {name}" for name, to in settings.items())
    return f"SELECT {', '.join(changes)}"


def set_mysql(session: Session) -> None:
    """Has a MySQL or MariaDB cut nothing off, whatever its settings are, and warn of what it cuts.

    Its TIMESTAMPs are told in the zone of times that carry none, or in UTC.

    Raises:
        SourceFormatError: the server does not know the zone.
    """
    # UTC is known by its offset also where the time zone tables are not loaded.
    zone = "+00:00" if session.zone in {None, "UTC"} else session.zone
    known = f"SELECT CONVERT_TZ('2026-01-01', '+00:00', '{zone}') IS NULL"
    if run(session.connection, known):
        raise SourceFormatError(
            f"{session.server}: the server does not know the zone {zone}: load its time zone "
            "tables (mysql_tzinfo_to_sql), or leave timezone out"
        )
    run(
        session.connection,
        f"SET SESSION time_zone = '{zone}'",
        "SET SESSION sql_select_limit = 18446744073709551615",
        "SET SESSION group_concat_max_len = 4294967295",
        "SET SESSION max_error_count = 65535",
    )
