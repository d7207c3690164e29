import itertools

import pytest
from ldap3.core.exceptions import LDAPSessionTerminatedByServerError, LDAPSocketReceiveError

from extractors.directory.ldap.protocol.search import PagedSearch, read_pages, read_values
from extractors.directory.ldap.protocol.strategy import use_raw_entries
from schemas.errors import SourceFormatError, SourceIncompleteError, SourceUnavailableError
from tests.ldap_answers import (
    answering,
    element,
    entry,
    message,
    page,
    result,
)

DISCONNECTION = element(0x8A, b"1.3.6.1.4.1.1466.20036")


ROOT = [("", {"SubschemaSubentry": [b"cn=Schema"]})]


def users(*names):
    return [(f"uid={name},dc=x", {"uid": [name.encode()]}) for name in names]


def read(answers, **search):
    with answering(answers) as connection:
        return [
            entry
            for batch in read_pages(connection, PagedSearch("dc=x", **search))
            for entry in batch
        ]


def test_pages_are_read_in_order_to_the_last():
    entries = read([page(users("a", "b"), b"1"), page([], b"2"), page(users("c"))], page_size=2)

    assert entries == users("a", "b", "c")


def test_a_cookie_may_stay_the_same_from_page_to_page():
    entries = read([page(users("a"), b"1"), page(users("b"), b"1"), page(users("c"))])

    assert entries == users("a", "b", "c")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (1, r"operationsError \(1\)"),
        (3, r"timeLimitExceeded \(3\): the server's time limit"),
        (4, r"sizeLimitExceeded \(4\): the server's size limit"),
        (11, r"adminLimitExceeded \(11\): an administrative limit"),
        (12, r"unavailableCriticalExtension \(12\)"),
        (32, r"noSuchObject \(32\)"),
        (50, r"insufficientAccessRights \(50\)"),
        (53, r"unwillingToPerform \(53\)"),
        (80, r".+ \(80\)"),
    ],
)
@pytest.mark.parametrize("pages_before", [0, 1, 2])
def test_a_page_that_ends_in_an_error_ends_the_read(code, name, pages_before):
    before = [page(users(f"a{number}"), b"%d" % number) for number in range(pages_before)]
    with pytest.raises(SourceIncompleteError, match=f"dc=x: after {pages_before} entries: {name}"):
        read([*before, page([], b"", code)], page_size=1)


def test_entries_beside_an_error_are_not_taken():
    with pytest.raises(SourceIncompleteError, match="after 0 entries: sizeLimitExceeded"):
        read([page(users("a", "b"), b"", 4)])


def test_the_servers_own_words_are_not_repeated():
    with pytest.raises(SourceIncompleteError) as refused:
        read([page([], b"", 80, "no rights on uid=secret,dc=x")])
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("code", [51, 52])
def test_a_busy_server_is_worth_another_try(code):
    with pytest.raises(SourceUnavailableError, match=rf"\({code}\)"):
        read([page(users("a"), b"1"), page([], b"", code)])


def test_a_lost_cookie_ends_the_read():
    with pytest.raises(SourceIncompleteError, match="after 1 entries: the server sent no cookie"):
        read([page(users("a"), b"1"), page(users("b"), None)])


def test_a_server_that_knows_no_paging_is_believed_only_if_no_page_could_have_been_cut():
    assert read([page(users("a"), None)], page_size=2) == users("a")
    with pytest.raises(SourceIncompleteError, match="the server sent no cookie"):
        read([page(users("a", "b"), None)], page_size=2)


def test_pages_that_go_round_in_a_circle_end_the_read():
    circle = itertools.cycle([page(users("a"), b"1"), page(users("b"), b"2")])
    with pytest.raises(SourceIncompleteError, match="the same page twice"):
        read(list(itertools.islice(circle, 10)), page_size=1)


def test_empty_pages_without_end_end_the_read():
    with pytest.raises(SourceIncompleteError, match="the same page twice"):
        read([page([], b"1")] * 10)


def test_a_page_size_that_is_refused_is_made_smaller():
    refused = page([], b"", 11)

    assert read([refused, refused, page(users("a"))]) == users("a")
    with pytest.raises(SourceIncompleteError, match="adminLimitExceeded"):
        read([refused] * 9)
    with pytest.raises(SourceIncompleteError, match="adminLimitExceeded"):
        read([refused, page(users("a"))], page_size=500)


def test_a_connection_that_is_not_the_first_pages_own_ends_the_read():
    with answering([page(users("a"), b"1"), page(users("b"))]) as connection:
        batches = read_pages(connection, PagedSearch("dc=x"))
        next(batches)
        with answering([page(users("z"))]) as other:
            connection.socket, first = other.socket, connection.socket
            with pytest.raises(SourceIncompleteError, match="the connection is not the one"):
                next(batches)
            connection.socket = first


def a_reference(number):
    reference = element(0x73, element(4, b"ldap://elsewhere.example/dc=x"))
    return message(number, reference) + page(users("a"))(number)


def test_an_unfollowed_reference_ends_the_read_unless_it_is_to_be_ignored():
    with pytest.raises(SourceIncompleteError, match="a referral was not followed"):
        read([a_reference])
    assert read([a_reference], referrals="ignore") == users("a")


@pytest.mark.parametrize("referrals", ["refuse", "ignore"])
def test_a_base_on_another_server_ends_the_read_in_any_case(referrals):
    target = element(0xA3, element(4, b"ldap://elsewhere.example/dc=x"))
    with pytest.raises(SourceIncompleteError, match="a referral was not followed"):
        read([lambda number: message(number, result(0x65, 10, "", target))], referrals=referrals)


def test_a_server_that_hangs_up_ends_the_read():
    with pytest.raises(SourceUnavailableError, match="dc=x: the connection was lost"):
        read([page(users("a"), b"1"), None])


def test_attributes_are_asked_for_in_lower_case_and_found_in_any():
    """A server written with ldapjs 3 gives only what is asked for in lower case."""
    requests = []
    with answering([page(users("a")), page(ROOT)], requests=requests) as connection:
        list(read_pages(connection, PagedSearch("dc=x", attributes=("givenName", "entryUUID"))))
        assert read_values(connection, "", "subschemaSubentry") == [b"cn=Schema"]

    asked = b"".join(requests)
    assert b"givenname" in asked
    assert b"subschemasubentry" in asked
    assert b"givenName" not in asked


def test_a_connection_lost_while_the_root_entry_is_read_is_told_as_such():
    lost = pytest.raises(SourceUnavailableError, match="its root: the connection was lost")
    with answering([None]) as connection, lost:
        read_values(connection, "", "subschemaSubentry")


def test_an_entry_that_may_not_be_read_has_no_values():
    with answering([page([], None, 32), page([], None, 50)]) as connection:
        assert read_values(connection, "cn=schema", "attributeTypes") == []
        assert read_values(connection, "cn=schema", "attributeTypes") == []


def test_an_answer_that_is_cut_off_ends_the_read():
    with (
        answering([lambda number: page(users("a"))(number)[:-3]], hangs_up=True) as connection,
        pytest.raises(SourceUnavailableError, match="the connection was lost"),
    ):
        list(read_pages(connection, PagedSearch("dc=x")))


def test_a_notice_of_disconnection_is_told_with_its_reason():
    notice = message(0, result(0x78, 52, "", DISCONNECTION))
    with pytest.raises(SourceUnavailableError, match=r"ended the connection: unavailable \(52\)"):
        read([lambda _: notice])


def test_a_notice_that_waits_since_the_last_page_ends_the_read():
    notice = message(0, result(0x78, 8, "", DISCONNECTION))
    with pytest.raises(SourceUnavailableError, match=r"strongerAuthRequired|\(8\)"):
        read([lambda number: page(users("a"), b"1")(number) + notice, page(users("b"))])


def test_a_notice_of_another_kind_is_passed_over():
    notice = message(0, result(0x78, 0, "", element(0x8A, b"1.2.3.4")))

    assert read([lambda number: notice + page(users("a"))(number)]) == users("a")


def test_a_silent_server_is_given_up_when_the_time_is_over():
    with pytest.raises(SourceUnavailableError, match="did not answer in time"):
        read([lambda _: b""], timeout_s=0.2)


def test_a_server_that_drips_is_given_up_when_the_time_is_over():
    with (
        answering([lambda number: page(users("a"))(number)[:5]]) as connection,
        pytest.raises(SourceUnavailableError, match="did not answer in time"),
    ):
        list(read_pages(connection, PagedSearch("dc=x", timeout_s=0.2)))


def test_an_idle_connection_is_given_up_at_the_sockets_own_timeout():
    with answering([lambda _: b""]) as connection:
        connection.socket.settimeout(0.2)
        with pytest.raises(SourceUnavailableError, match="did not answer in time"):
            list(read_pages(connection, PagedSearch("dc=x")))


@pytest.mark.parametrize(
    "hostile",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        element(0x30, b"\x02\x01\x02\x64\x7f"),
        element(0x30, b"\x02\x01\x02" + element(0x7E, b"")),  # no operation known
        element(0x30, b"\x02\x01\x02" + element(0x65, b"\x04\x00")),  # no result in the result
        element(0x30, b""),
        element(0x30, element(0x30, b"\x02\x01\x02") + element(0x65, b"")),
    ],
)
def test_what_is_no_ldap_is_told_in_one_line(hostile):
    with pytest.raises(SourceFormatError, match=r"no LDAP message|not LDAP"):
        read([lambda _: hostile])


def test_an_answer_to_another_request_ends_the_read():
    with pytest.raises(SourceUnavailableError, match="the connection was lost"):
        read([lambda number: page(users("a"))(number + 1)])


def test_entries_with_controls_and_intermediate_responses_are_read():
    state = element(0x30, element(4, b"1.3.6.1.4.1.4203.1.9.1.2") + element(4, b"\x30\x00"))
    progress = element(0x79, element(0x80, b"1.3.6.1.4.1.4203.1.9.1.4") + element(0x81, b""))

    def answered(number):
        plain = message(number, entry(*users("a")[0]))
        marked = message(number, entry(*users("b")[0]), state)
        return plain + message(number, progress) + marked + page([])(number)

    assert read([answered]) == users("a", "b")


def test_an_entry_with_controls_keeps_them_for_whoever_asks():
    state = element(0x30, element(4, b"1.2.3") + element(4, b"x"))

    def answered(number):
        return message(number, entry(*users("a")[0]), state) + page([])(number)

    with answering([answered]) as connection:
        use_raw_entries(connection)
        connection.search("dc=x", "(uid=*)")
        assert connection.response[0]["controls"]["1.2.3"]["value"] == b"x"
        assert connection.response[0]["raw_attributes"] == {"uid": [b"a"]}


def test_a_session_that_ends_is_told_as_by_ldap3():
    with answering([None]) as connection:
        use_raw_entries(connection)
        with pytest.raises(LDAPSessionTerminatedByServerError):
            connection.search("dc=x", "(uid=*)")
        assert connection.closed


def test_answers_slipped_in_before_tls_are_not_taken_for_its():
    def answered(number):
        return message(number, result(0x78)) + page(users("z"))(number + 1)

    with answering([answered, page(users("a"))]) as connection:
        use_raw_entries(connection)
        connection.extended("1.2.3")
        connection.socket, plain = connection.socket.dup(), connection.socket
        connection.tls_started = True
        plain.close()
        with pytest.raises(LDAPSocketReceiveError, match="before TLS"):
            connection.search("dc=x", "(uid=*)")


def range_entry(low, high, values):
    return [("cn=g,dc=x", {f"member;range={low}-{high}": values})]


def test_a_range_sent_unasked_is_followed_to_its_end():
    first = [("cn=g,dc=x", {"cn": [b"g"], "member": [], "member;range=0-1": [b"a", b"b"]})]

    entries = read(
        [
            page(first),
            page(range_entry(2, 3, [b"c", b"d"])),
            page(range_entry(4, "*", [b"e"])),
        ]
    )

    assert entries == [("cn=g,dc=x", {"cn": [b"g"], "member": [b"a", b"b", b"c", b"d", b"e"]})]


@pytest.mark.parametrize(
    "second",
    [
        page([]),  # the entry is gone
        page([("cn=g,dc=x", {})]),  # the attribute is
        page(range_entry(3, "*", [b"d"])),  # one is missing
        page(range_entry(1, "*", [b"b"])),  # one is there twice
        page(range_entry(2, "*", [])),
        page(range_entry(2, 9, [b"c"])),  # fewer than it says
    ],
)
def test_a_range_that_does_not_continue_ends_the_read(second):
    with pytest.raises(SourceIncompleteError, match="do not fit together"):
        read([page(range_entry(0, 1, [b"a", b"b"])), second, page(range_entry(3, "*", [b"d"]))])


def test_a_range_that_ends_in_an_error_ends_the_read():
    with pytest.raises(SourceIncompleteError, match="the rest of an entry, member"):
        read([page(range_entry(0, 1, [b"a", b"b"])), page([], b"", 50)])


def test_a_cookie_survives_the_reading_of_ranges_between_two_pages():
    entries = read(
        [
            page(range_entry(0, 0, [b"a"]), b"1"),
            page(range_entry(1, "*", [b"b"])),
            page(users("a")),
        ]
    )

    assert entries == [("cn=g,dc=x", {"member": [b"a", b"b"]}), *users("a")]
