import base64
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extractors.directory.ldif.parser import read_ldif
from schemas.errors import SourceFormatError, SourceIncompleteError

PLAIN = b"""# extended LDIF
#
# LDAPv3
#

# x
dn: dc=x
dc: x

dn: dc=y
dc: y

# search result
search: 2
result: 0 Success

# numResponses: 3
# numEntries: 2
"""
PAGED = b"""# extended LDIF
#
# page 1

dn: dc=x
dc: x

# search result
search: 2
result: 0 Success
control: 1.2.840.113556.1.4.319 false MA0CAQAECAQAAAAAAAAA
pagedresults: cookie=BAAAAAAAAAA=
# extended LDIF
#
# page 2

dn: dc=y
dc: y

# search result
search: 3
result: 0 Success
control: 1.2.840.113556.1.4.319 false MAUCAQAEAA==
pagedresults: cookie=

# numResponses: 4
# numEntries: 2
"""
BRIEF = b"""version: 1

#
# LDAPv3
#

dn: dc=x
dc: x

dn: dc=y
dc: y

# search result

# numResponses: 3
# numEntries: 2
"""
LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}(;lang-[a-z]{2})?", fullmatch=True).filter(
    lambda name: (
        name not in {"dn", "changetype", "control", "newrdn", "deleteoldrdn", "newsuperior"}
    )
)
ENTRIES = st.lists(
    st.tuples(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
        st.dictionaries(
            NAMES, st.lists(st.binary(max_size=90), min_size=1, max_size=3), min_size=1, max_size=4
        ),
    ),
    min_size=1,
    max_size=5,
)


def read(written: bytes, **how):
    return [entry for batch in read_ldif(io.BytesIO(written), "x.ldif", **how) for entry in batch]


@LAW
@given(ENTRIES, st.data())
def test_whatever_is_written_reads_back(entries, data):
    end = data.draw(st.sampled_from([b"\n", b"\r\n"]))
    written = b"".join(entry_text(dn, values, end, data) + end for dn, values in entries)

    assert read(written) == entries


@LAW
@given(ENTRIES, st.data())
def test_a_file_cut_anywhere_is_refused_or_holds_whole_lines_only(entries, data):
    written = b"".join(entry_text(dn, values, b"\n", data) + b"\n" for dn, values in entries)
    cut = written[: data.draw(st.integers(0, len(written) - 2))]
    try:
        records = read(cut, ends_with_empty_line=True)
    except (SourceFormatError, SourceIncompleteError):
        return
    assert records == entries[: len(records)]


@LAW
@given(st.binary(max_size=300) | st.text(" dn:cx<#\n\r=", max_size=80).map(str.encode))
def test_noise_is_refused_in_our_own_words(noise):
    message = "x.ldif: "
    try:
        read(noise)
    except (SourceFormatError, SourceIncompleteError) as error:
        message = str(error)
    assert message.startswith("x.ldif: ")


def test_an_export_of_slapcat_is_read():
    written = b"""version: 1

# a comment
#  that goes
  on
dn: uid=a,
 dc=x
objectClass: top
objectClass: inetOrgPerson
cn;lang-de:: w7w=
userCertificate;binary:: AAE=
description:
sn:   Leading and trailing\x20
1.2.3.4: by number


dn:: dWlkPcO8LGRjPXg=
uid: \xc3\xbc
"""
    assert read(written) == [
        (
            "uid=a,dc=x",
            {
                "objectClass": [b"top", b"inetOrgPerson"],
                "cn;lang-de": ["ü".encode()],
                "userCertificate;binary": [b"\0\1"],
                "description": [b""],
                "sn": [b"Leading and trailing "],
                "1.2.3.4": [b"by number"],
            },
        ),
        ("uid=ü,dc=x", {"uid": ["ü".encode()]}),
    ]


@pytest.mark.parametrize("written", [PLAIN, PAGED, BRIEF, PLAIN + PLAIN])
def test_what_ldapsearch_writes_of_its_search_is_read(written):
    found = [("dc=x", {"dc": [b"x"]}), ("dc=y", {"dc": [b"y"]})]

    assert read(written, ends_with_empty_line=True) == found * (2 if written == PLAIN * 2 else 1)


@pytest.mark.parametrize("written", [PLAIN, PAGED, BRIEF])
def test_an_output_of_ldapsearch_that_was_cut_off_is_refused_or_holds_all(written):
    """Wherever it is cut: its header promises a result at its end."""
    for cut in range(25, len(written)):
        try:
            records = read(written[:cut], ends_with_empty_line=True)
        except (SourceFormatError, SourceIncompleteError):
            continue
        assert [dn for dn, _ in records] == ["dc=x", "dc=y"], cut


def test_what_lies_on_another_server_may_be_ignored():
    written = b"dn: dc=x\ndc: x\n\n# search reference\nref: ldap://other/dc=z\n\n"

    assert read(written, referrals="ignore") == [("dc=x", {"dc": [b"x"]})]


def test_an_export_of_ldifde_is_read():
    written = b"dn: CN=a,DC=x\r\nchangetype: add\r\ncn: a\r\n\r\n"

    assert read(written) == [("CN=a,DC=x", {"cn": [b"a"]})]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n", b"\n\n\n", b"\n# comment"])
def test_the_last_entry_needs_no_newline(end):
    assert read(b"dn: dc=x\ndc: x" + end) == [("dc=x", {"dc": [b"x"]})]


def test_a_byte_order_mark_is_no_part_of_the_first_line():
    assert read(b"\xef\xbb\xbfdn: dc=x\ndc: x\n") == [("dc=x", {"dc": [b"x"]})]


def test_entries_come_in_batches():
    written = b"".join(b"dn: cn=%d\ncn: %d\n\n" % (number, number) for number in range(2500))

    sizes = [len(batch) for batch in read_ldif(io.BytesIO(written), "x.ldif")]
    assert sizes == [1000, 1000, 500]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (b"dn: dc=x\njpegPhoto:< file:///etc/passwd\n", "line 2: takes its value from a URL"),
        (b"dn: dc=x\nchangetype: modify\nadd: cn\n", "line 2: changetype: describes a change"),
        (b"dn: dc=x\nchangetype: delete\n", "line 2: changetype: describes a change"),
        (b"dn: dc=x\nchangetype: modrdn\n", "line 2: changetype: describes a change"),
        (b"dn: dc=x\ncontrol: 1.2.3 true\n", "line 2: control: describes a change"),
        (b"dn: dc=x\nnewrdn: dc=y\n", "line 2: newrdn: describes a change"),
        (b"dn: dc=x\ncn: a\n-\n", "line 3: is neither an attribute"),
        (b"dn: dc=x\ndc: x\n\ncn: a\n", "line 4: an entry starts with dn:"),
        (b"dn: dc=x\nnsAccountLock;adcsn-6b0d88c9000100070000: true\n", "line 2: bears a state of"),
        (b"dn: dc=x\nmember;vucsn-6b;vdcsn-6c;deleted: cn=a\n", "line 2: bears a state of repl"),
        (b"result: many\n\n", "line 1: a result without its number"),
        (b"dn: dc=x\ndc: x\ndn: dc=y\n", "line 3: a second dn"),
        (b"dn: dc=x\ngarbage\n", "line 2: is neither an attribute"),
        (b"dn: dc=x\n: x\n", "line 2: is neither an attribute"),
        (b"dn: dc=x\nc n: x\n", "line 2: is neither an attribute"),
        (b" dn: dc=x\n", "line 1: starts with a space"),
        (b"dn: dc=x\ndc: x\n\n folded\n", "line 4: starts with a space"),
        (b"dn: dc=x\ncn:: YWJj!\n", "line 2: is no base64"),
        (b"dn: dc=x\ncn:: YWJ\n", "line 2: is no base64, or was cut off"),
        (b"dn: dc=x\n# a\ncn:: YW\n Jj\n Y\n", "line 3: is no base64, or was cut off"),
        (b"dn:: /w==\ndc: x\n", "line 1: the dn is not UTF-8"),
        (b"dn: \xff\ndc: x\n", "line 1: the dn is not UTF-8"),
        (b"dn: dc=x\ncn: a\0b\n", "line 2: has a NUL byte"),
        (b"version: 2\n\ndn: dc=x\ndc: x\n", "line 1: LDIF has version 1 only"),
        (b"\xff\xfed\0n\0", "is UTF-16"),
    ],
)
def test_what_is_no_content_is_refused_with_its_line(written, message):
    with pytest.raises(SourceFormatError, match=f"^x.ldif: {message}"):
        read(written)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (b"", "holds no entry"),
        (b"version: 1\n# nothing\n\n", "holds no entry"),
        (b"search: 2\nresult: 0 Success\n", "holds no entry"),
        (PLAIN.replace(b"0 Success", b"4 Size limit exceeded"), "line 15: .* sizeLimitExceeded"),
        (PLAIN.replace(b"dn: dc=y\ndc: y\n\n", b""), "line 15: ldapsearch states 2 entries and 1"),
        (
            PLAIN.replace(b"dn: dc=y", b"ref: ldap://other/dc=z\n\ndn: dc=y"),
            "line 10: entries lie on",
        ),
        (b"# refldap://other/dc=z\ndn: dc=x\ndc: x\n\n", "line 1: entries lie on another server"),
        (PAGED.partition(b"# extended LDIF\n#\n# page 2")[0], "ends before the last page"),
        (b"dn: dc=x\ndc: x\n\ndn: dc=y", "ends at line 4 with a dn alone"),
        (b"dn: dc=x\nmember;range=0-1: a\nmember;range=0-1: b\n\n", "go on after its range"),
    ],
)
def test_a_file_that_shows_that_something_is_missing_is_refused(written, message):
    with pytest.raises(SourceIncompleteError, match=f"^x.ldif: .*{message}"):
        read(written)


def test_the_last_range_of_an_attribute_is_the_attribute():
    written = b"dn: cn=g\nmember;range=0-*: a\nmember;range=0-*: b\n\n"

    assert read(written) == [("cn=g", {"member": [b"a", b"b"]})]


def test_a_missing_empty_line_at_the_end_is_an_error_where_it_must_be_there():
    whole = b"dn: dc=x\ndc: x\n\n"

    assert read(whole, ends_with_empty_line=True) == [("dc=x", {"dc": [b"x"]})]
    with pytest.raises(SourceIncompleteError, match="ends at line 2 without an empty line"):
        read(whole[:-1], ends_with_empty_line=True)


def entry_text(dn: str, attributes: dict[str, list[bytes]], end: bytes, data) -> bytes:
    lines = [value_line("dn", dn.encode(), data)]
    lines += [
        value_line(name, value, data) for name, values in attributes.items() for value in values
    ]
    if data.draw(st.booleans()):
        lines.insert(data.draw(st.integers(0, len(lines))), b"# a comment: x")
    return b"".join(folded(line, end, data) + end for line in lines)


def value_line(name: str, value: bytes, data) -> bytes:
    is_plain = value.isascii() and value.decode("latin-1").isprintable()
    is_plain = is_plain and not value.startswith((b" ", b":", b"<"))
    if is_plain and data.draw(st.booleans()):
        return f"{name}: ".encode() + value
    return f"{name}:: ".encode() + base64.b64encode(value)


def folded(line: bytes, end: bytes, data) -> bytes:
    at = data.draw(st.integers(1, max(1, len(line))))
    is_folded = data.draw(st.booleans()) and at < len(line)
    return line[:at] + end + b" " + line[at:] if is_folded else line
