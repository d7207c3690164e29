"""Private OpenLDAP servers on loopback, for as long as the tests last, as a pytest plugin."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.certificates import Authority, Certificate, new_authority, new_certificate
from tests.directory_tree import BASE, GROUPS, LIMITED, PEOPLE, READER, UNPAGED, Tree

_LONGEST_START_S = 60
_SBIN = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"
_CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/dyngroup.schema
attributetype ( 2.16.840.1.113730.3.1.610 NAME 'nsAccountLock'
  EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
modulepath /usr/lib/ldap
moduleload back_mdb.so
moduleload memberof.so
moduleload syncprov.so
moduleload ppolicy.so
moduleload lastbind.so
moduleload sssvlv.so
moduleload dynlist.so
moduleload refint.so
pidfile {home}/slapd.pid
TLSCACertificateFile {authority}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
TLSVerifyClient try
password-hash {{CLEARTEXT}}
sasl-secprops noanonymous
sasl-host localhost
authz-regexp "gidNumber=[^,]*,cn=peercred,cn=external,cn=auth" "uid={reader},ou=Partners,{base}"
authz-regexp "cn=svc-reader" "uid={reader},ou=Partners,{base}"
authz-regexp "uid=(svc-[^,]*),cn=[^,]*,cn=auth" "uid=$1,ou=Partners,{base}"
authz-regexp "uid=([^,]*),cn=[^,]*,cn=auth" "uid=$1,{people}"

database mdb
suffix {base}
rootdn cn=admin,{base}
rootpw secret
directory {home}/db
maxsize 1073741824
dbnosync
lastbind on
index objectClass,entryUUID,entryCSN,uid,mail,member,modifyTimestamp eq
sizelimit size.soft=500 size.hard=1000 size.pr=1000 size.prtotal=unlimited
limits dn.exact="uid={reader},ou=Partners,{base}" size.soft=unlimited size.hard=unlimited
  size.pr=1000 size.prtotal=unlimited
limits dn.exact="uid={limited},ou=Partners,{base}" size.soft=100 size.hard=100
  size.pr=100 size.prtotal=150
limits dn.exact="uid={unpaged},ou=Partners,{base}" size.soft=100 size.hard=100
  size.prtotal=disabled
overlay memberof
overlay syncprov
overlay ppolicy
overlay lastbind
{overlays}
access to attrs=userPassword by anonymous auth by * none
access to attrs=employeeNumber by dn.exact="uid={limited},ou=Partners,{base}" none by * read
access to attrs=pwdAccountLockedTime,shadowExpire
  by dn.exact="uid={limited},ou=Partners,{base}" none by * read
access to * by * read

database mdb
suffix o=referring
rootdn cn=admin,o=referring
directory {home}/referring
maxsize 16777216
dbnosync
access to * by * read
"""
_MINIMAL = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/dyngroup.schema
modulepath /usr/lib/ldap
moduleload back_mdb.so
moduleload dynlist.so
moduleload ppolicy.so
pidfile {home}/slapd.pid
"""
_REFERRING = """dn: o=referring
objectClass: organization
o: referring

dn: uid=here,o=referring
objectClass: account
uid: here

dn: ou=elsewhere,o=referring
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://127.0.0.1:1/ou=elsewhere,o=referring

"""


@dataclass(frozen=True, slots=True)
class OpenLdap:
    """A running server.

    Attributes:
        host: its address; the certificate is for it, and for `localhost`.
        port: for LDAP and StartTLS.
        tls_port: for LDAPS.
        socket_url: for LDAP over a local socket, where SASL EXTERNAL is `svc-reader`.
        base: the tree's root; `people` and `groups` lie below. `o=referring` is another tree, with
            one entry and one referral.
        admin: DN and password of the one to whom no limit applies.
        reader: the same of an ordinary account that may read all, in pages of up to 1,000.
        limited: an account that gets 150 entries of a paged search, 100 of another, and may not
            see who is locked or expired.
        unpaged: an account that may not page, and gets 100 entries.
        authority: signed the server's certificate; `authority.file` is what to trust.
        other_authority: did not.
        client: a certificate that SASL EXTERNAL takes for `svc-reader`.
        tree: what the directory holds.
        process: the server itself.
    """

    host: str
    port: int
    tls_port: int
    socket_url: str
    authority: Authority
    other_authority: Authority
    client: Certificate
    tree: Tree
    process: subprocess.Popen[bytes]
    base: str = BASE
    people: str = PEOPLE
    groups: str = GROUPS
    admin: tuple[str, str] = (f"cn=admin,{BASE}", "secret")
    reader: tuple[str, str] = (f"uid={READER},ou=Partners,{BASE}", f"pw-{READER}")
    limited: tuple[str, str] = (f"uid={LIMITED},ou=Partners,{BASE}", f"pw-{LIMITED}")
    unpaged: tuple[str, str] = (f"uid={UNPAGED},ou=Partners,{BASE}", f"pw-{UNPAGED}")


@pytest.fixture(scope="session")
def openldap_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenLdap]:
    """A server with 300 users."""
    with running_openldap(tmp_path_factory.mktemp("slapd"), Tree()) as server:
        yield server


@pytest.fixture(scope="session")
def large_openldap_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenLdap]:
    """A server with 20,000 users in 300 teams."""
    tree = Tree(users_count=20_000, teams_count=290)
    with running_openldap(tmp_path_factory.mktemp("slapd"), tree) as server:
        yield server


@contextmanager
def running_openldap(
    home: Path,
    tree: Tree,
    *,
    is_expired: bool = False,
    more_ldif: str = "",
    overlays: str = "",
) -> Iterator[OpenLdap]:
    """A server of one's own in `home`; with an expired certificate, or more entries, if wanted.

    `overlays` are further lines of the configuration of the tree's database.
    """
    check_openldap_programs()
    for folder in ("db", "referring"):
        (home / folder).mkdir()
    authority, other = new_authority(home), new_authority(home, "other-ca")
    certificate = new_certificate(
        home,
        authority,
        "server",
        names=("localhost",),
        addresses=("127.0.0.1",),
        is_expired=is_expired,
    )
    client = new_certificate(home, authority, READER)
    config = home / "slapd.conf"
    config.write_text(_config(home, authority, certificate, overlays))
    _load(config, BASE, tree.ldif() + more_ldif)
    _load(config, "o=referring", _REFERRING)
    port, tls_port = _free_ports(2)
    socket_url = f"ldapi://{quote(str(home / 'ldapi'), safe='')}"
    urls = f"ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port} {socket_url}"
    with (home / "log").open("wb") as log:
        run = ["setpriv", "--pdeathsig", "KILL", _program("slapd"), "-d", "0"]
        process = subprocess.Popen([*run, "-f", config, "-h", urls], stdout=log, stderr=log)
        try:
            _wait_until_up(tls_port, process)
            yield OpenLdap(
                "127.0.0.1", port, tls_port, socket_url, authority, other, client, tree, process
            )
        finally:
            process.terminate()
            process.wait()


@contextmanager
def running_slapd(home: Path, config: str, trees: dict[str, str]) -> Iterator[int]:
    """A server of any configuration in `home`; yields its port. `trees` is LDIF by suffix.

    In `config`, `{home}` stands for the folder; each database has a folder `db0`, `db1`, … there.
    """
    check_openldap_programs()
    for number in range(len(trees)):
        (home / f"db{number}").mkdir()
    file = home / "slapd.conf"
    file.write_text(_MINIMAL.replace("{home}", str(home)) + config.replace("{home}", str(home)))
    for suffix, ldif in trees.items():
        _load(file, suffix, ldif)
    [port] = _free_ports(1)
    with (home / "log").open("wb") as log:
        run = ["setpriv", "--pdeathsig", "KILL", _program("slapd"), "-d", "0"]
        url = f"ldap://127.0.0.1:{port}"
        process = subprocess.Popen([*run, "-f", file, "-h", url], stdout=log, stderr=log)
        try:
            _wait_until_up(port, process)
            yield port
        finally:
            process.terminate()
            process.wait()


def check_openldap_programs() -> None:
    """Fails under CI, and skips elsewhere, where the server's programs are missing."""
    wanted = {"slapd": "slapd", "slapadd": "slapd", "setpriv": "util-linux"}
    missing = [
        f"{program} (Debian: {package})"
        for program, package in wanted.items()
        if not shutil.which(program, path=_SBIN)
    ]
    if missing and os.environ.get("CI"):
        pytest.fail(f"missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")


def _config(home: Path, authority: Authority, certificate: Certificate, overlays: str) -> str:
    return _CONFIG.format(
        overlays=overlays,
        home=home,
        authority=authority.file,
        certificate=certificate.file,
        key=certificate.key_file,
        base=BASE,
        people=PEOPLE,
        reader=READER,
        limited=LIMITED,
        unpaged=UNPAGED,
    )


def _program(name: str) -> str:
    return shutil.which(name, path=_SBIN) or name


def _load(config: Path, suffix: str, ldif: str) -> None:
    words = [_program("slapadd"), "-q", "-f", config, "-b", suffix]
    done = subprocess.run(words, input=ldif.encode(), capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"slapadd: {done.stderr.decode()[-2000:]}")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _wait_until_up(port: int, process: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + _LONGEST_START_S
    while process.poll() is None and time.monotonic() < ends_at:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"slapd did not start: exit code {process.poll()}")
