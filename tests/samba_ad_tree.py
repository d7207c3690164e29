#!/usr/bin/python3
"""Fills a new Samba domain in one transaction: `samba_ad_tree.py SMB_CONF USERS`.

Run by the system's Python, whose samba bindings it needs, before the server starts.
"""

import sys
import time

import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

NEVER = "9223372036854775807"
EXPIRED = "132223104000000000"  # 2020-01-01
LOGGED_ON = "133801632000000000"  # 2025-01-01
NORMAL, DISABLED, PASSWORD_EXPIRED = "66080", "66082", "544"
RELAX = ["relax:0"]


class Domain:
    """The directory's file, and where things lie in it."""

    def __init__(self, conf: str) -> None:
        parameters = LoadParm()
        parameters.load(conf)
        self.sam = SamDB(
            lp=parameters,
            session_info=system_session(),
            url=parameters.private_path("sam.ldb"),
            options=["batch_mode:1"],
        )
        self.base = str(self.sam.domain_dn())

    def people(self, name: str) -> str:
        return f"CN={name},OU=People,{self.base}"

    def groups(self, name: str) -> str:
        return f"CN={name},OU=Groups,{self.base}"

    def services(self, name: str) -> str:
        return f"CN={name},OU=Services,{self.base}"

    def user(self, number: int) -> str:
        return self.people(f"User {number:05d}")

    def set(self, dn: str, **values: str) -> None:
        message = ldb.Message(ldb.Dn(self.sam, dn))
        for name, value in values.items():
            message[name] = ldb.MessageElement([value], ldb.FLAG_MOD_REPLACE, name)
        self.sam.modify(message, RELAX)

    def add_member(self, group: str, member: str) -> None:
        message = ldb.Message(ldb.Dn(self.sam, group))
        message["member"] = ldb.MessageElement([member], ldb.FLAG_MOD_ADD, "member")
        self.sam.modify(message)

    def add_group(self, name: str, members: list[str], kind: str = "-2147483646") -> None:
        entry = {
            "dn": self.groups(name),
            "objectClass": "group",
            "sAMAccountName": name,
            "groupType": kind,
            "description": f"What {name} may do",
            "managedBy": self.user(0),
        }
        self.sam.add(entry | ({"member": members} if members else {}))


def add_users(domain: Domain, count: int) -> None:
    now = str(int((time.time() + 11_644_473_600) * 10_000_000))
    for number in range(count):
        name = f"user{number:05d}"
        entry = {
            "dn": domain.user(number),
            "objectClass": "user",
            "sAMAccountName": name,
            "userPrincipalName": f"{name}@corp.example",
            "givenName": f"Zoë{number}" if number % 7 == 0 else f"Given{number}",
            "sn": f"Sur{number}",
            "displayName": f"User {number:05d}",
            "mail": f"{name}@corp.example",
            "department": f"D{number % 40}",
            "employeeID": str(100_000 + number),
            "title": f"Title {number % 7}",
            "userAccountControl": DISABLED if number % 10 == 3 else NORMAL,
        }
        if number % 25 == 6:
            entry["userAccountControl"] = PASSWORD_EXPIRED
        if number:
            entry["manager"] = domain.user((number - 1) // 8)
        if number % 15 == 4:
            entry["accountExpires"] = EXPIRED
        domain.sam.add(entry)
        if number % 20 == 5:
            domain.set(domain.user(number), lockoutTime=now)
        if number % 3 == 0:
            domain.set(domain.user(number), lastLogonTimestamp=LOGGED_ON)


def add_groups(domain: Domain, count: int) -> None:
    for number in range(20):
        members = [domain.user(one) for one in range(count) if one % 20 == number]
        domain.add_group(f"team{number:03d}", members)
    domain.add_group("inner", [domain.user(1), domain.user(2)])
    domain.add_group("middle", [domain.groups("inner"), domain.user(3)])
    domain.add_group("outer", [domain.groups("middle"), domain.user(4)], "-2147483640")
    domain.add_group("cycle-a", [domain.user(5)])
    domain.add_group("cycle-b", [domain.groups("cycle-a"), domain.user(6)])
    domain.add_member(domain.groups("cycle-a"), domain.groups("cycle-b"))
    domain.add_group("letters", [domain.user(0)], "2")  # a distribution list
    domain.add_group("everyone", [domain.user(one) for one in range(count)])
    domain.add_group("primary", [domain.user(7), domain.user(8)])
    found = domain.sam.search(domain.groups("primary"), ldb.SCOPE_BASE, attrs=["objectSid"])
    sid = domain.sam.schema_format_value("objectSid", found[0]["objectSid"][0]).decode()
    for number in (7, 8):
        domain.set(domain.user(number), primaryGroupID=sid.rpartition("-")[2])


def add_services(domain: Domain) -> None:
    """Managed service accounts, one that only its place tells apart, a computer, a contact."""
    for name, kind in (
        ("msa1", "msDS-ManagedServiceAccount"),
        ("gmsa1", "msDS-GroupManagedServiceAccount"),
        ("pc1", "computer"),
    ):
        entry = {
            "dn": domain.services(name),
            "objectClass": kind,
            "sAMAccountName": f"{name}$",
            "userAccountControl": "4096",
        }
        if name == "gmsa1":
            entry["msDS-ManagedPasswordInterval"] = "30"
        domain.sam.add(entry, RELAX)
    plain = {
        "dn": domain.services("svc-backup"),
        "objectClass": "user",
        "sAMAccountName": "svc-backup",
        "userAccountControl": NORMAL,
    }
    domain.sam.add(plain)
    contact = {"dn": domain.people("Con\\, Tact"), "objectClass": "contact", "sn": "Tact"}
    domain.sam.add(contact)
    foreign = "S-1-5-21-1-2-3-1001"
    domain.add_group("mixed", [domain.people("Con\\, Tact"), domain.services("svc-backup")])
    domain.add_member(domain.groups("mixed"), f"<SID={foreign}>")


def add_deleted(domain: Domain) -> None:
    for number in range(3):
        dn = domain.people(f"Gone {number}")
        name = f"gone{number}"
        domain.sam.add(
            {
                "dn": dn,
                "objectClass": "user",
                "sAMAccountName": name,
                "userAccountControl": NORMAL,
            }
        )
        domain.sam.delete(dn)


def add_reader(domain: Domain) -> None:
    """An ordinary account that may bind."""
    dn = domain.services("svc-reader")
    domain.sam.add(
        {
            "dn": dn,
            "objectClass": "user",
            "sAMAccountName": "svc-reader",
            "userPrincipalName": "svc-reader@corp.example",
            "userAccountControl": "512",
            "unicodePwd": '"Passw0rd-2"'.encode("utf-16-le"),
        }
    )


def main() -> None:
    domain, count = Domain(sys.argv[1]), int(sys.argv[2])
    domain.sam.transaction_start()
    for unit in ("People", "Groups", "Services"):
        domain.sam.add({"dn": f"OU={unit},{domain.base}", "objectClass": "organizationalUnit"})
    add_users(domain, count)
    add_groups(domain, count)
    add_services(domain)
    add_deleted(domain)
    add_reader(domain)
    domain.sam.transaction_commit()


if __name__ == "__main__":
    main()
