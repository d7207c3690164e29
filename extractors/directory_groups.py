"""The groups of a directory: asked for, named, and their members told by whatever says so."""

from extractors.ad_accounts import group_remarks
from extractors.attribute_text import first_texts
from extractors.directory_accounts import is_active_directory, model_of
from extractors.directory_entries import Entries, Find, Search
from extractors.dn import normal_dn
from extractors.dynamic_groups import add_dynamic_members
from extractors.group_members import (
    Directory,
    Members,
    add_login_names,
    add_primary_groups,
    add_primary_groups_by_sid,
    named_by_groups,
    named_by_members,
)
from extractors.group_tables import GroupTexts, describe, group_labels
from extractors.ldap_accounts import group_ids
from extractors.ldap_filter import in_brackets, to_filter
from extractors.reading import Reading
from schemas.errors import SourceIncompleteError

_MEMBER_ATTRIBUTES = ("member", "uniqueMember", "memberUid", "memberURL")


def groups_search(reading: Reading) -> Search | None:
    """What is asked for the groups; None where the source wants none.

    Raises:
        ConfigError: the filter is none.
    """
    branch = reading.source.groups
    if branch is None:
        return None
    model = model_of(reading.source)
    if branch.filter is not None:
        to_filter(branch.filter, "source.groups.filter")
    by_member = reading.source.membership == "member"
    named = _MEMBER_ATTRIBUTES if by_member else ("memberOf", "memberUid", "memberURL")
    return Search(
        branch.base or reading.base_dn,
        in_brackets(branch.filter) if branch.filter is not None else model.groups_filter,
        branch.scope,
        (*model.group_attributes, *named),
    )


def find_groups(find: Find, search: Search) -> Entries:
    """The groups.

    Raises:
        SourceIncompleteError: there are none.
    """
    groups = find(search)
    if not len(groups):
        raise SourceIncompleteError(
            f"{search.base}: no group there: check groups.base and groups.filter, and that the "
            "reading account may see them; or say groups: null"
        )
    return groups


def members_of(reading: Reading, users: Search, accounts: Entries, groups: Entries) -> Members:
    """Who is in which group, by everything that entries say of it."""
    directory = Directory(accounts, groups)
    if reading.source.membership == "member":
        members = named_by_groups(directory, groups)
    else:
        members = named_by_members(directory, accounts, groups)
    add_login_names(members, accounts, groups)
    if is_active_directory(reading.source):
        add_primary_groups_by_sid(members, accounts, groups)
    else:
        add_primary_groups(members, accounts, groups)
    add_dynamic_members(members, directory, groups, reading.find, users)
    return members


def group_texts(reading: Reading, accounts: Entries, groups: Entries) -> GroupTexts:
    """What is said of each group."""
    source = reading.source
    labels = group_labels(groups, first_texts(groups, "cn"))
    descriptions = first_texts(groups, "description")
    if is_active_directory(source) or source.kind == "active_directory":
        names = first_texts(accounts, "sAMAccountName")
        by_dn = {normal_dn(dn): name for dn, name in zip(accounts.dns, names, strict=True) if name}
        ids = first_texts(groups, "objectGUID")
        return GroupTexts(ids, labels, describe(descriptions, group_remarks(groups, by_dn)))
    return GroupTexts(group_ids(groups, source), labels, descriptions)
