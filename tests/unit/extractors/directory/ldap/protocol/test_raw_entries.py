import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ldap3.operation.search import raw_attributes_to_dict_fast
from ldap3.protocol.rfc4511 import (
    LDAPDN,
    AttributeDescription,
    AttributeValue,
    LDAPMessage,
    MessageID,
    PartialAttribute,
    PartialAttributeList,
    ProtocolOp,
    SearchResultEntry,
    Vals,
)
from ldap3.utils.asn1 import decode_message_fast
from pyasn1.codec.ber import encoder

from extractors.directory.ldap.protocol.ber import check_message, message_size
from extractors.directory.ldap.protocol.raw_entries import decode_entry
from schemas.errors import SourceFormatError
from tests.ldap_answers import element, entry, message, page_control, result

LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9-]{0,20}(;lang-[a-z]{2}|;binary)?", fullmatch=True)
VALUES = st.lists(st.binary(max_size=300), max_size=4)
# A name is in one case within an entry: of two, ldap3's own decoder keeps what the last one says.
ATTRIBUTES = st.lists(
    st.tuples(NAMES, VALUES), max_size=6, unique_by=lambda attribute: attribute[0].lower()
).map(dict)
DNS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
IDS = st.integers(0, 2**31 - 1)

SMALL = message(7, entry("cn=a", {"cn": [b"a", b"b"], "mail": [b"a@example.org"]}))


@LAW
@given(IDS, DNS, ATTRIBUTES)
def test_an_entry_is_decoded_as_by_ldap3(number, dn, attributes):
    encoded = encoder.encode(by_pyasn1(number, dn, attributes))

    decoded = decode_message_fast(encoded)
    assert decode_entry(encoded) == (number, dn, attributes)
    assert decoded["messageID"] == number
    assert decoded["payload"][0][3] == dn.encode()
    by_ldap3 = raw_attributes_to_dict_fast(decoded["payload"][1][3])
    assert {name: by_ldap3[name] or [] for name in attributes} == attributes


@LAW
@given(DNS, ATTRIBUTES)
def test_lengths_in_four_bytes_are_read_as_active_directory_writes_them(dn, attributes):
    assert decode_entry(message(5, entry(dn, attributes, long=True))) == (5, dn, attributes)


@LAW
@given(DNS, ATTRIBUTES, st.data())
def test_a_cut_message_is_refused_wherever_it_is_cut(dn, attributes, data):
    whole = message(5, entry(dn, attributes))
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]

    assert is_refused(cut)


@pytest.mark.parametrize("size", range(len(SMALL) - 2))
def test_every_shortened_copy_of_an_entry_is_refused(size):
    assert is_refused(SMALL[:size])
    assert is_refused(element(0x30, SMALL[2 : 2 + size]))


@pytest.mark.parametrize("values", [[b"a"], [b"a", b"b"], []])
def test_attributes_cut_within_sound_lengths_are_refused(values):
    whole = element(0x30, element(4, b"sn") + element(0x31, b"".join(map(octets, values))))
    for size in range(1, len(whole)):
        cut = element(0x64, octets(b"cn=a") + element(0x30, whole + whole[:size]))
        assert is_refused(message(7, cut))


@pytest.mark.parametrize("at", range(len(SMALL)))
def test_a_changed_byte_is_refused_or_changes_only_what_it_is_part_of(at):
    for byte in range(256):
        changed = SMALL[:at] + bytes([byte]) + SMALL[at + 1 :]
        try:
            decoded = decode_entry(changed)
        except SourceFormatError:
            continue
        if decoded is not None:
            assert message(decoded[0], entry(decoded[1], decoded[2])) == changed


@settings(LAW, max_examples=500)
@given(st.binary(max_size=400))
def test_random_bytes_are_an_entry_only_if_they_encode_it(noise):
    for hostile in (noise, element(0x30, noise), element(0x30, b"\x02\x01\x01" + noise)):
        try:
            decoded = decode_entry(hostile)
        except SourceFormatError:
            continue
        if decoded is not None:
            _, dn, attributes = decoded
            parts = [value for values in attributes.values() for value in values]
            assert all(part in hostile for part in [dn.encode(), *map(str.encode, attributes)])
            assert all(part in hostile for part in parts)


@settings(LAW, max_examples=300)
@given(DNS, ATTRIBUTES, st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255))))
def test_a_mangled_message_never_yields_more_than_was_sent(dn, attributes, changes):
    hostile = bytearray(message(5, entry(dn, attributes)))
    for at, byte in changes:
        hostile[at % len(hostile)] = byte
    try:
        decoded = decode_entry(bytes(hostile))
    except SourceFormatError:
        return
    if decoded is not None:
        sent = sum(len(value) for values in decoded[2].values() for value in values)
        assert len(decoded[1].encode()) + sent < len(hostile)


@pytest.mark.parametrize(
    "hostile",
    [
        b"\x30\x80" + SMALL[2:] + b"\0\0",  # an indefinite length
        b"\x30\x84\xff\xff\xff\xff" + SMALL[2:],
        b"\x30\x89" + b"\0" * 8 + SMALL[1:],  # a length of nine bytes
        SMALL + b"\0",
        message(7, element(0x64, element(4, b"\xff") + element(0x30, b""))),  # no UTF-8
        message(7, element(0x64, element(0x24, element(4, b"cn=a")) + element(0x30, b""))),
        element(0x30, element(2, b"\xff\xff\xff\xff") + entry("cn=a", {})),  # below zero
        element(0x30, element(2, b"") + entry("cn=a", {})),
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"",
    ],
)
def test_what_ldap_does_not_allow_is_refused(hostile):
    with pytest.raises(SourceFormatError, match="no LDAP message"):
        decode_entry(hostile)


def test_values_of_an_attribute_sent_twice_are_all_kept():
    listed = b"".join(
        element(0x30, element(4, b"member") + element(0x31, element(4, value)))
        for value in (b"a", b"b")
    )
    sent = message(7, element(0x64, element(4, b"cn=a") + element(0x30, listed)))

    assert decode_entry(sent) == (7, "cn=a", {"member": [b"a", b"b"]})


def test_what_is_no_plain_entry_is_left_to_ldap3():
    assert decode_entry(message(7, result(0x65), page_control(b"x"))) is None
    assert decode_entry(message(7, entry("cn=a", {}), page_control(b"x"))) is None


@LAW
@given(st.binary(max_size=200))
def test_a_message_passes_the_check_only_if_its_lengths_fit(noise):
    check_message(message(7, result(0x65), page_control(noise)))
    cut = message(7, result(0x65), page_control(noise))[:-1]
    with pytest.raises(SourceFormatError):
        check_message(cut)


def test_a_part_that_reaches_into_the_next_one_is_refused():
    longer = b"\x65\x03\x0a\x05\x00"  # five bytes are said to be in there, and one is
    with pytest.raises(SourceFormatError):
        check_message(element(0x30, element(2, b"\1") + longer + element(0xA0, octets(b"more"))))


def test_a_message_nested_without_end_is_refused():
    nested = b""
    for _ in range(10_000):
        nested = element(0x30, nested)
    with pytest.raises(SourceFormatError):
        check_message(nested)


@LAW
@given(st.binary(max_size=20), DNS)
def test_a_size_is_told_as_soon_as_it_can_be(before, dn):
    whole = message(5, entry(dn, {}))

    assert message_size(before + whole, len(before)) == len(whole)
    sizes = [message_size(whole[:size], 0) for size in range(len(whole))]
    assert set(sizes) <= {None, len(whole)}


@pytest.mark.parametrize("head", [b"HTTP/1.1", b"\x15\x03\x01\0\x02"])
def test_another_protocol_is_told_at_its_first_byte(head):
    with pytest.raises(SourceFormatError, match="not LDAP: check port"):
        message_size(head, 0)


@pytest.mark.parametrize("head", [b"\x30\x84\xff\xff\xff\xff", b"\x30\x80", b"\x30\xff\0\0"])
def test_a_message_of_gigabytes_is_refused_before_it_is_read(head):
    with pytest.raises(SourceFormatError, match="more than 256 MiB"):
        message_size(head + b"\0" * 20, 0)


def octets(value: bytes) -> bytes:
    return element(4, value)


def is_refused(hostile: bytes) -> bool:
    try:
        decode_entry(hostile)
    except SourceFormatError:
        return True
    return False


def by_pyasn1(number: int, dn: str, attributes: dict[str, list[bytes]]) -> LDAPMessage:
    listed = PartialAttributeList()
    for at, (name, values) in enumerate(attributes.items()):
        attribute, set_of = PartialAttribute(), Vals()
        for position, value in enumerate(values):
            set_of.setComponentByPosition(position, AttributeValue(value))
        if not values:
            set_of.clear()
        attribute["type"], attribute["vals"] = AttributeDescription(name.encode()), set_of
        listed.setComponentByPosition(at, attribute)
    if not attributes:
        listed.clear()
    searched = SearchResultEntry()
    searched["object"], searched["attributes"] = LDAPDN(dn.encode()), listed
    made = LDAPMessage()
    made["messageID"] = MessageID(number)
    made["protocolOp"] = ProtocolOp().setComponentByName("searchResEntry", searched)
    return made
