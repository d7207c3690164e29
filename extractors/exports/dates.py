"""The day that an export is of: by the date in its name, else by when it was last written."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from schemas.export_file import ExportFile

# A time of day may follow at once: hr_20260102033000.csv.
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_.]?)(\d\d)\2(\d\d)(?=\D|$|(?:\d{4}|\d{6})(?!\d))")


def day_of(file: ExportFile, timezone: str) -> date | None:
    """Returns the last date in the file's name, `2026-01-02` or `20260102`; else in its folders'.

    Without one: the day it was last written, in `timezone`; None where nobody says it.
    """
    folder, _, name = file.key.rpartition("/")
    named = _dates_in(name) or _dates_in(folder)
    if named:
        return named[-1]
    return file.modified_at.astimezone(ZoneInfo(timezone)).date() if file.is_dated else None


def named_day(file: ExportFile) -> date | None:
    """The last date in the file's own name; None without one."""
    named = _dates_in(file.key.rpartition("/")[2])
    return named[-1] if named else None


def start_of_day(day: date, timezone: str) -> datetime:
    """The first moment of the day in `timezone`, UTC."""
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)


def end_of_day(day: date, timezone: str) -> datetime:
    """The first moment after the day in `timezone`, UTC."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(timezone)).astimezone(UTC)


def _dates_in(text: str) -> list[date]:
    dates = []
    for year, _, month, day in _DATE.findall(text):
        try:
            dates.append(date(int(year), int(month), int(day)))
        except ValueError:
            continue
    return dates
