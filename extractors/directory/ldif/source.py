"""An LDIF export of a directory, searched in memory as the directory itself would be."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from pathlib import Path

from extractors.directory.account_fields import RequestedFields, is_secret
from extractors.directory.dn import is_below, normal_dn
from extractors.directory.entries import Entries, Find, Search, to_entries
from extractors.directory.filter import to_filter
from extractors.directory.ldap.protocol.raw_entries import Attributes
from extractors.directory.ldif.match import to_match
from extractors.directory.ldif.parser import dn_lines, read_ldif
from extractors.directory.read import probe_directory, read_directory
from extractors.directory.request import DirectoryRequest
from extractors.exports.completeness import (
    check_age,
    check_count,
    check_manifest,
    check_marker,
    companions_of,
    trailer_count,
    wait_until_stable,
)
from extractors.exports.dates import named_day
from extractors.exports.export import Export, private_folder
from extractors.exports.find import check_unchanged, find_export
from extractors.exports.order import check_not_ahead, check_not_older, sha256_of
from extractors.zones.zones import DropZones
from schemas.errors import SourceFormatError
from schemas.export_file import ReadExport
from schemas.raw import LastRead, Probe, Raw
from schemas.source_file.kinds.directory_source import LdifSource
from schemas.source_file.quantities import duration_text
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
_HIDDEN_CLASSES = frozenset({b"nstombstone", b"ldapsubentry", b"subentry"})
_LAST_BYTES = 4096
_Entry = tuple[str, str, Attributes]
_NEVER_READ = LastRead()


def read_ldif_source(
    source: LdifSource,
    workspace: Path,
    account_fields: RequestedFields,
    *,
    now: datetime,
    sleep: Callable[[float], None] = time.sleep,
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
        export = _found(source, zones, now, sleep)
        last = next((one for one in last_read.exports if one.table == export.table), None)
        check_not_older(export, last, source, now)
        request, sha256 = _to_request(source, export, zones, account_fields, now)
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
        export = _found(source, zones, now, None)
        return probe_directory(_to_request(source, export, zones, account_fields, now)[0])


def _found(
    source: LdifSource, zones: DropZones, now: datetime, sleep: Callable[[float], None] | None
) -> Export:
    """Returns the export, once its rest, where it is waited for, and its marker say it is whole."""
    complete = source.complete
    export = find_export("file", source.file, zones, companions=companions_of(complete))
    if sleep is not None and complete and complete.stable_for:
        export = wait_until_stable(export, complete.stable_for, now=now, sleep=sleep)
    check_not_ahead(export, source, now)
    check_age(export, source.max_age, now)
    if complete and complete.marker:
        check_marker(export, complete.marker, zones)
    return export


def _to_request(
    source: LdifSource,
    export: Export,
    zones: DropZones,
    account_fields: RequestedFields,
    now: datetime,
) -> tuple[DirectoryRequest, str]:
    """Returns how the export is read, and its SHA-256."""
    read = _read_export(source, export, account_fields)
    proofs = [f"of {read.count:,} entries in {export.size_bytes:,} bytes, unchanged while read"]
    if read.deleted_count:
        proofs.append(f"{read.deleted_count:,} of them deleted or of the server's own")
    proofs += _counted(source, export, zones, read)
    request = DirectoryRequest(
        source=source,
        account_fields=account_fields,
        find=_finder(read.entries),
        base_dn=source.base_dn or "",
        origin=export.name,
        now=now,
        taken_at=export.modified_at,
        proof="; ".join(proofs),
    )
    return request, read.sha256


def _counted(
    source: LdifSource, export: Export, zones: DropZones, read: "_ReadExport"
) -> list[str]:
    """Returns what else shows that the export is whole, as the source file asks for it.

    Raises:
        SourceIncompleteError: it does not.
    """
    complete = source.complete
    if complete is None:
        return []
    proofs = []
    if complete.marker:
        proofs.append("marker found")
    if complete.stable_for:
        proofs.append(f"at rest for {duration_text(complete.stable_for)}")
    if complete.trailer:
        stated = trailer_count(export, read.last_line, complete.trailer)
        check_count(export, "its trailer", stated, read.count)
        proofs.append(f"trailer says {stated}")
    if complete.manifest:
        promised = check_manifest(export, complete.manifest, zones, read.count)
        proofs.append(f"manifest says {promised}")
    return proofs


@dataclass(frozen=True, slots=True)
class _ReadExport:
    """An export as it was read.

    Attributes:
        entries: those that a server would show.
        count: all of them.
        deleted_count: those that were deleted, or that the server keeps for itself.
        last_line: the last one that is not empty.
        sha256: of the file.
    """

    entries: list[_Entry]
    count: int
    deleted_count: int
    last_line: str
    sha256: str


def _read_export(
    source: LdifSource, export: Export, account_fields: RequestedFields
) -> _ReadExport:
    """Reads all entries: DN, its normal form, attributes in lower case; and the file's SHA-256.

    Of blobs only those named are kept, passwords and keys never.
    """
    named = {name.lower() for name in account_fields.attributes}
    kept: dict[str, str | None] = {}
    entries: dict[str, _Entry] = {}
    count = deleted_count = 0
    with private_folder(export) as folder:
        path = export.zone.fetch(export.file, folder)
        with path.open("rb") as file:
            batches = read_ldif(
                file,
                export.name,
                ends_with_empty_line=source.ends_with_empty_line,
                referrals="ignore" if source.model == "active_directory" else "refuse",
            )
            for dn, attributes in chain.from_iterable(batches):
                count += 1
                entry = (dn, normal_dn(dn), _kept(attributes, kept, named))
                if _is_hidden(entry[2]):
                    deleted_count += 1
                elif entries.setdefault(entry[1], entry)[2] != entry[2]:
                    raise _twice(path, export.name, entry[1])
        last_line = _last_line(path)
        return _ReadExport(list(entries.values()), count, deleted_count, last_line, sha256_of(path))


def _is_hidden(attributes: Attributes) -> bool:
    """Whether a server shows the entry to no search: it was deleted, or is the server's own."""
    classes = {value.lower() for value in attributes.get("objectclass", ())}
    is_deleted = [value.upper() for value in attributes.get("isdeleted", ())] == [b"TRUE"]
    return is_deleted or not classes.isdisjoint(_HIDDEN_CLASSES)


def _twice(path: Path, name: str, dn: str) -> SourceFormatError:
    """Returns the error of two entries of one DN that differ: two exports, or one made badly."""
    with path.open("rb") as file:
        lines = [number for number, written in dn_lines(file, name) if normal_dn(written) == dn]
    return SourceFormatError(
        f"{name}: lines {lines[0]} and {lines[1]}: two entries of one DN that differ: no directory "
        "holds that: give one export"
    )


def _last_line(path: Path) -> str:
    """Returns the last line that is not empty."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _LAST_BYTES))
        lines = file.read().decode("utf-8", "replace").split("\n")
    return next((line.rstrip("\r") for line in reversed(lines) if line.strip()), "")


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
