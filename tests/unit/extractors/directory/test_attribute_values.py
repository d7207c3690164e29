import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ldap3.protocol.formatters.formatters import format_sid, format_uuid_le

from extractors.directory.values import (
    filetime_text,
    filetime_to_time,
    generalized_time_text,
    guid_text,
    is_absurd_filetime,
    sid_text,
)

LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
WRITTEN_TIMES = st.datetimes(timezones=st.just(UTC)).map("{:%Y%m%d%H%M%SZ}".format)
NUMBERS = st.integers(-(2**70), 2**70).map(str) | st.integers(10**16, 2 * 10**18).map(str)
ODD = st.sampled_from(["", "x", " 5", "+5", "1_0", "٣", "0", "9223372036854775807", "1e9", "00"])


def test_a_guid_is_read_in_its_mixed_byte_order():
    written = bytes.fromhex("ff19966f868b11d0b42d00c04fc964ff")

    assert guid_text(written) == "6f9619ff-8b86-d011-b42d-00c04fc964ff"


@LAW
@given(st.uuids())
def test_a_guid_reads_back(number):
    assert uuid.UUID(guid_text(number.bytes_le)) == number
    assert f"{{{guid_text(number.bytes_le)}}}" == format_uuid_le(number.bytes_le)


@pytest.mark.parametrize("broken", [b"", b"x" * 15, b"x" * 17])
def test_what_has_not_sixteen_bytes_is_no_guid(broken):
    assert guid_text(broken) is None


@LAW
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=15))
def test_a_sid_is_read_as_by_ldap3(authority, parts):
    sub = b"".join(part.to_bytes(4, "little") for part in parts)
    written = bytes([1, len(parts)]) + authority.to_bytes(6, "big") + sub

    assert sid_text(written) == "-".join(["S-1", str(authority), *map(str, parts)])
    assert sid_text(written) == format_sid(written)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\1\1\0\0\0\0\0\5",  # a part is missing
        b"\1\1\0\0\0\0\0\5\0\0\0\0\0",  # one byte too many
        b"\2\0\0\0\0\0\0\5",  # another revision
        b"\1\x10" + b"\0" * 70,
    ],
)
def test_a_broken_sid_is_no_sid(broken):
    assert sid_text(broken) is None


def test_a_large_authority_is_written_in_hexadecimal():
    assert sid_text(b"\1\0\1\0\0\0\0\0") == "S-1-0x010000000000"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b"133801632000000000", "2025-01-01T00:00:00Z"),
        (b"133801632000000001", "2025-01-01T00:00:00.0000001Z"),
        (b"133801632005000000", "2025-01-01T00:00:00.5Z"),
        (b"132223104000000000", "2020-01-01T00:00:00Z"),
        (b"0", None),
        (b"9223372036854775807", None),
        (b"-1", None),
        (b"", None),
        (b"never", None),
        (b"9223372036854775806", None),
        (b"99999999999999999999", None),
    ],
)
def test_a_filetime_is_read_to_its_last_digit(written, text):
    assert filetime_text(written) == text


def test_a_filetime_that_is_neither_a_time_nor_never_is_absurd():
    assert not is_absurd_filetime(b"0")
    assert not is_absurd_filetime(b"9223372036854775807")
    assert not is_absurd_filetime(b"133801632000000000")
    assert all(is_absurd_filetime(value) for value in (b"-1", b"x", b"", b"9223372036854775806"))


@LAW
@given(st.timedeltas(timedelta(seconds=1), timedelta(days=3_000_000)).map(EPOCH.__add__))
def test_a_filetime_reads_back(time):
    ticks = (time - EPOCH) // timedelta(microseconds=1) * 10

    assert filetime_to_time(str(ticks).encode()) == time
    assert datetime.fromisoformat(filetime_text(str(ticks).encode())) == time


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b"20260102030405Z", "2026-01-02T03:04:05Z"),
        (b"20260102030405.0Z", "2026-01-02T03:04:05Z"),
        (b"20260102030405.123456Z", "2026-01-02T03:04:05.123456Z"),
        (b"20260102030405,5Z", "2026-01-02T03:04:05.5Z"),
        (b"202601020304Z", "2026-01-02T03:04:00Z"),
        (b"202601020304.25Z", "2026-01-02T03:04:15Z"),
        (b"2026010203Z", "2026-01-02T03:00:00Z"),
        (b"2026010203.5Z", "2026-01-02T03:30:00Z"),
        (b"20260102000405+0100", "2026-01-01T23:04:05Z"),
        (b"20260102000405-0130", "2026-01-02T01:34:05Z"),
        (b"20260102000405+01", "2026-01-01T23:04:05Z"),
        (b"20261231235960Z", "2027-01-01T00:00:00Z"),
        (b"20240229000000Z", "2024-02-29T00:00:00Z"),
        (b"20260102030405", None),  # no zone
        (b"20260230030405Z", None),
        (b"20260102250405Z", None),
        (b"20260102036005Z", None),
        (b"20260102030405+9900", None),
        (b"20260102030405.Z", None),
        (b"20260102030405Z\n", None),
        (b"99991231235959-0100", None),  # beyond the calendar
        (b"000001010000Z", None),  # ppolicy: shut for good
        (b"", None),
    ],
)
def test_a_generalized_time_is_read_with_its_fraction_and_zone(written, text):
    assert generalized_time_text(written) == text
