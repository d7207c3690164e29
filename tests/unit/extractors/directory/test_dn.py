import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extractors.directory.dn import check_dn, is_below, normal_dn
from schemas.errors import ConfigError

LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SPECIAL = ' "+,;<>\\#='
TYPES = {
    "cn": ("cn", "CN", "commonName", "2.5.4.3", "OID.2.5.4.3"),
    "ou": ("ou", "OU", "organizationalUnitName", "2.5.4.11"),
    "dc": ("dc", "DC", "domainComponent", "0.9.2342.19200300.100.1.25"),
    "uid": ("uid", "UID", "userid", "oid.0.9.2342.19200300.100.1.1"),
    "employeenumber": ("employeeNumber", "EMPLOYEENUMBER"),
}
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PARTS = st.tuples(st.sampled_from(sorted(TYPES)), VALUES)
RDNS = st.lists(st.lists(PARTS, min_size=1, max_size=3), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("uid=u000001,ou=People,dc=example,dc=org", "uid=u000001,ou=people,dc=example,dc=org"),
        ("UID = u1 , OU=People,DC=Example ; dc=ORG", "uid=u1,ou=people,dc=example,dc=org"),
        (r"cn=Doe\, Jane,dc=x", r"cn=doe\2c jane,dc=x"),
        (r"cn=Doe\2C Jane,dc=x", r"cn=doe\2c jane,dc=x"),
        ('cn="Doe, Jane",dc=x', r"cn=doe\2c jane,dc=x"),
        (r"cn=Before\0dAfter,dc=x", "cn=before after,dc=x"),
        (r"sn=Lu\C4\8Di\C4\87", "sn=lučić"),
        ("1.3.6.1.4.1.1466.0=#04024869,o=Test", "1.3.6.1.4.1.1466.0=hi,o=test"),
        ("cn=#0c0161", "cn=a"),
        ("cn=#020101", "cn=#020101"),
        (r"cn=\#020101", r"cn=\23020101"),
        ("uid=b+cn=a,dc=x", "cn=a+uid=b,dc=x"),
        ("cn=A  B\u00a0 C,dc=x", "cn=a b c,dc=x"),
        ("cn=STRASSE", "cn=strasse"),
        ("cn=Straße", "cn=strasse"),
        (r"cn=\ a\ ,dc=x", "cn=a,dc=x"),
        (r"cn=\FF,dc=x", r"cn=\ff,dc=x"),
        ("cn=a=b", "cn=a=b"),
        ("cn=,dc=x", "cn=,dc=x"),
        ("CN=O'Neil (x) & Co/1,DC=x", "cn=o'neil (x) & co/1,dc=x"),
        (r"CN=Gone\0ADEL:21ad,DC=x", "cn=gone del:21ad,dc=x"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_a_dn_has_one_form(written, normal):
    assert normal_dn(written) == normal


@pytest.mark.parametrize(
    "written",
    [
        "cn",
        "=a",
        "cn=a,",
        ",cn=a",
        "cn=a,,dc=x",
        "cn=a+",
        "cn=a\\",
        r"cn=a\zz",
        'cn="a',
        'cn="a"b',
        "cn=#abc",
        "cn=#zz",
        "cn=#",
        "<SID=S-1-5-21-1>",
        "c n=a",
        "1..2=a",
        "ü=a",
    ],
)
def test_what_is_no_dn_stays_as_it_is_and_is_told(written):
    assert normal_dn(written) == written
    with pytest.raises(ConfigError, match=r"^source.base_dn: is no DN") as caught:
        check_dn(written, "source.base_dn")
    assert caught.value.key == "source.base_dn"


def test_a_dn_passes_the_check():
    check_dn("dc=example,dc=org", "source.base_dn")


@LAW
@given(RDNS, st.data())
def test_all_spellings_of_a_dn_have_the_same_form(rdns, data):
    one, other = spelled(rdns, data), spelled(rdns, data)

    assert normal_dn(one) == normal_dn(other)


@LAW
@given(RDNS, st.data())
def test_a_form_is_its_own_form(rdns, data):
    normal = normal_dn(spelled(rdns, data))

    assert normal_dn(normal) == normal


@LAW
@given(RDNS, RDNS, st.data())
def test_different_dns_have_different_forms(one, other, data):
    assert (normal_dn(spelled(one, data)) == normal_dn(spelled(other, data))) == (
        meant(one) == meant(other)
    )


@LAW
@given(st.text(max_size=60) | st.text(' "+,;<>\\#=acn1.\n', max_size=60))
def test_whatever_is_written_has_a_form_that_is_its_own(written):
    normal = normal_dn(written)

    assert normal_dn(normal) == normal


@pytest.mark.parametrize(
    "hostile",
    [
        "cn=a" + " " * 200_000 + "x",
        "cn=" + "\\" * 200_000,
        "cn=" + "\\20" * 100_000,
        'cn="' + "a" * 200_000,
        "1" + ".1" * 100_000,
        "cn=a," * 50_000 + "x",
        "cn=a+" * 50_000,
        "cn=#" + "0" * 200_001,
    ],
)
def test_a_dn_made_to_be_slow_is_not(hostile):
    assert normal_dn(normal_dn(hostile)) == normal_dn(hostile)


def test_below_means_whole_rdns():
    base = "ou=people,dc=x"
    assert is_below("uid=a,ou=people,dc=x", base)
    assert is_below(base, base)
    assert is_below("dc=y", "")
    assert not is_below("uid=a,myou=people,dc=x", base)
    assert not is_below(normal_dn(r"uid=a\,ou=people,dc=x"), base)
    assert not is_below("dc=x", base)


def meant(rdns: list[list[tuple[str, str]]]) -> list[list[tuple[str, str]]]:
    """The DN's parts as RFC 4518 compares them, worked out without the code under test."""
    return [sorted((name, compared(value)) for name, value in rdn) for rdn in rdns]


def compared(value: str) -> str:
    import unicodedata

    for _ in range(8):
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
        value = " ".join(folded.split())
    return value


def spelled(rdns: list[list[tuple[str, str]]], data: st.DataObject) -> str:
    """One of the ways to write a DN."""

    def gap() -> str:
        return data.draw(st.sampled_from(["", " ", "  "]))

    def part(name: str, value: str) -> str:
        written = data.draw(st.sampled_from(TYPES[name]))
        return f"{gap()}{written}{gap()}={gap()}{escaped(value, data)}{gap()}"

    return data.draw(st.sampled_from([",", ";"])).join(
        "+".join(part(*one) for one in data.draw(st.permutations(rdn))) for rdn in rdns
    )


def escaped(value: str, data: st.DataObject) -> str:
    way = data.draw(st.sampled_from(["signs", "bytes", "quoted", "hex"]))
    if way == "bytes":
        return "".join(f"\\{byte:02x}" for byte in value.encode())
    if way == "quoted":
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if way == "hex" and len(value.encode()) < 128:
        return f"#0C{len(value.encode()):02x}{value.encode().hex()}"
    return "".join(f"\\{sign}" if sign in SPECIAL else sign for sign in value)
