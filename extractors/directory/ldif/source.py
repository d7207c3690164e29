"""An LDIF export of a directory, searched in memory as the directory itself would be."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from extractors.directory.account_fields import RequestedFields, is_secret
from extractors.directory.dn import is_below, normal_dn
from extractors.directory.entries import Entries, Find, Search, to_entries
from extractors.directory.filter import to_filter
from extractors.directory.ldap.protocol.raw_entries import Attributes
from extractors.directory.ldif.match import to_match
from extractors.directory.ldif.parser import read_ldif
from extractors.directory.read import probe_directory, read_directory
from extractors.directory.request import DirectoryRequest
from extractors.exports.completeness import check_age
from extractors.exports.dates import named_day
from extractors.exports.export import Export, private_folder
from extractors.exports.find import check_unchanged, find_export
from extractors.exports.order import check_not_ahead, check_not_older, sha256_of
from extractors.zones.zones import DropZones
from schemas.export_file import ReadExport
from schemas.raw import LastRead, Probe, Raw
from schemas.source_file.directory_source import LdifSource
from schemas.source_file.secrets import Resolve, no_secrets

_BLOBS = frozenset(
    {
        "audio",
        "jpegphoto",
        "photo",
        "thumbnaillogo",
        "thumbnailphoto",
        "usercertificate",
        "usersmimecertificate",
    }
)
_Entry = tuple[str, str, Attributes]
_NEVER_READ = LastRead()


def read_ldif_source(
    source: LdifSource,
    workspace: Path,
    account_fields: RequestedFields,
    *,
    now: datetime,
    resolve: Resolve = no_secrets,
    last_read: LastRead = _NEVER_READ,
) -> Raw:
    """Reads the accounts, the groups and who is in which; the export is read once.

    It is not older than the one that `last_read` remembers, nor dated ahead of `now`.

    Raises:
        ConfigError: a path that leads out of its zone, or a filter that only a server applies.
        SourceUnavailableError: no such file, or it cannot be opened.
        SourceIncompleteError: too old, cut off, changed while it was read, or without what is
            needed.
        SourceStaleError: older than the last accepted one, or dated ahead of the clock.
        SourceFormatError: no LDIF, or one that describes changes; with the line.
    """
    with DropZones(source, workspace, resolve) as zones:
        export = _found(source, zones, now)
        last = next((one for one in last_read.exports if one.table == export.table), None)
        check_not_older(export, last, source, now)
        request, sha256 = _to_request(source, export, account_fields, now)
        request = replace(request, last_seen=last_read.seen)
        raw = read_directory(request)
        check_unchanged(export)
    remembered = ReadExport(
        export.table,
        export.name,
        named_day(export.file),
        export.size_bytes,
        export.modified_ns,
        sha256,
    )
    return replace(
        raw, files=(export.file,), remembered=replace(raw.remembered, exports=(remembered,))
    )


def probe_ldif_source(
    source: LdifSource,
    workspace: Path,
    account_fields: RequestedFields,
    *,
    now: datetime,
    resolve: Resolve,
) -> tuple[Probe, ...]:
    """Returns what the accounts and the groups of the export look like.

    Raises:
        SourceError: as `read_ldif_source`.
    """
    with DropZones(source, workspace, resolve) as zones:
        export = _found(source, zones, now)
        return probe_directory(_to_request(source, export, account_fields, now)[0])


def _found(source: LdifSource, zones: DropZones, now: datetime) -> Export:
    export = find_export("file", source.file, zones)
    check_not_ahead(export, source, now)
    check_age(export, source.max_age, now)
    return export


def _to_request(
    source: LdifSource, export: Export, account_fields: RequestedFields, now: datetime
) -> tuple[DirectoryRequest, str]:
    """Returns how the export is read, and its SHA-256."""
    entries, sha256 = _entries(export, account_fields)
    request = DirectoryRequest(
        source=source,
        account_fields=account_fields,
        find=_finder(entries),
        base_dn=source.base_dn or "",
        origin=export.name,
        now=now,
        taken_at=export.modified_at,
        proof=f"of {len(entries):,} entries in {export.size_bytes:,} bytes, unchanged while read",
    )
    return request, sha256


def _entries(export: Export, account_fields: RequestedFields) -> tuple[list[_Entry], str]:
    """Reads all entries: DN, its normal form, attributes in lower case; and the file's SHA-256.

    Of blobs only those named are kept, passwords and keys never.
    """
    named = {name.lower() for name in account_fields.attributes}
    kept: dict[str, str | None] = {}
    entries: list[_Entry] = []
    with private_folder(export) as folder:
        path = export.zone.fetch(export.file, folder)
        with path.open("rb") as file:
            for batch in read_ldif(file, export.name, ends_with_empty_line=True):
                for dn, attributes in batch:
                    entries.append((dn, normal_dn(dn), _kept(attributes, kept, named)))
        return entries, sha256_of(path)


def _kept(attributes: Attributes, kept: dict[str, str | None], named: set[str]) -> Attributes:
    of_entry: Attributes = {}
    for name, values in attributes.items():
        if name not in kept:
            lower = name.lower().removesuffix(";binary")
            is_blob = lower in _BLOBS and lower not in named
            kept[name] = None if is_secret(lower) or is_blob else lower
        key = kept[name]
        if key is not None:
            of_entry[key] = of_entry[key] + values if key in of_entry else values
    return of_entry


def _finder(entries: list[_Entry]) -> Find:
    def find(search: Search) -> Entries:
        fits = to_match(to_filter(search.filter, "the filter"))
        base = normal_dn(search.base)
        names = [name.lower() for name in search.attributes]
        return to_entries(
            (dn, {name: attributes[name] for name in names if name in attributes})
            for dn, normal, attributes in entries
            if _is_in_scope(normal, base, search.scope) and fits(attributes)
        )

    return find


def _is_in_scope(dn: str, base: str, scope: str) -> bool:
    if scope == "base":
        return dn == base
    if not is_below(dn, base):
        return False
    # In the normal form a comma only divides RDNs.
    depth = dn.count(",") - (base.count(",") if base else -1)
    return scope == "subtree" or depth == 1
