"""Azure's blobs by the beginning of their names, which obstore 0.12 asks for in whole folders only.

One operation of its REST API, List Blobs (version 2023-11-03, read 2026-11), signed with the
account's key or by a shared access signature.
"""

import base64
import binascii
import email.utils
import hashlib
import hmac
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx

from extractors.zones.web import web_client

if TYPE_CHECKING:
    from obstore import ObjectMeta

_VERSION = "2023-11-03"
_NO_HEADERS = [""] * 11
"""Content-Encoding to Range, none of which a list has."""


class NotListedError(Exception):
    """The service gave no list; asked in the other way, it says why."""


@dataclass(frozen=True, slots=True)
class AzureList:
    """A container as it is listed.

    Attributes:
        url: the container's address.
        account: the storage account.
        key: its key; None where there is a signature.
        sas: a shared access signature; None where there is a key.
        timeout: for an answer.
    """

    url: str
    account: str
    key: str | None = field(repr=False)
    sas: str | None = field(repr=False)
    timeout: httpx.Timeout

    def beginning_with(self, prefix: str) -> "Iterator[ObjectMeta]":
        """Yields the blobs whose names begin so, in their order.

        Raises:
            NotListedError: the service gave no list.
        """
        try:
            with web_client(self.url, verify=True, timeout=self.timeout) as client:
                marker = ""
                while True:
                    page = self._page(client, prefix, marker)
                    yield from map(_meta, page.iter("Blob"))
                    marker = page.findtext("NextMarker") or ""
                    if not marker:
                        return
        except (httpx.HTTPError, ET.ParseError, ValueError, TypeError) as error:
            raise NotListedError(type(error).__name__) from None

    def _page(self, client: httpx.Client, prefix: str, marker: str) -> ET.Element:
        query = {"restype": "container", "comp": "list", "prefix": prefix}
        query |= {"marker": marker} if marker else {}
        headers = {"x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": _VERSION}
        if self.key is not None:
            headers["Authorization"] = self._signed(query, headers)
        shared = dict(parse_qsl((self.sas or "").lstrip("?")))
        answer = client.get(self.url, params=query | shared, headers=headers)
        if answer.status_code != httpx.codes.OK:
            raise NotListedError(str(answer.status_code))
        # Entities in entities: expat itself puts an end to those (since 2.4.1).
        return ET.fromstring(answer.content)  # noqa: S314

    def _signed(self, query: dict[str, str], headers: dict[str, str]) -> str:
        """Returns the header of a request with Shared Key ("Authorize with Shared Key", 2023)."""
        lines = [
            "GET",
            *_NO_HEADERS,
            *(f"{name}:{value}" for name, value in sorted(headers.items())),
            f"/{self.account}{urlsplit(self.url).path}",
            *(f"{name}:{value}" for name, value in sorted(query.items())),
        ]
        try:
            key = base64.b64decode(self.key or "", validate=True)
        except binascii.Error:
            raise NotListedError("key") from None
        signature = hmac.new(key, "\n".join(lines).encode(), hashlib.sha256).digest()
        return f"SharedKey {self.account}:{base64.b64encode(signature).decode()}"


Beginning = Callable[[str], "Iterator[ObjectMeta]"]
"""Yields the objects whose keys begin so."""


def _meta(blob: ET.Element) -> "ObjectMeta":
    name, told = blob.find("Name"), blob.find("Properties")
    if name is None or told is None:
        raise ValueError("no blob")
    path = name.text or ""
    return {
        "path": unquote(path) if name.get("Encoded") == "true" else path,
        "last_modified": _moment(told.findtext("Last-Modified") or ""),
        "size": int(told.findtext("Content-Length") or ""),
        "e_tag": told.findtext("Etag"),
        "version": None,
    }


def _moment(written: str) -> datetime:
    return email.utils.parsedate_to_datetime(written)
