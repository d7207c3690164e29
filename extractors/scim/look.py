"""What a SCIM service has, for whoever writes a source file: its resources, and what users show."""

import time
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from extractors.scim.listing import Lister, to_paging
from extractors.scim.paths import AttributePath
from extractors.scim.service import AnswerError, opened_service
from schemas.look import Resources
from schemas.source_file.kinds.scim_source import ScimSource
from schemas.source_file.secrets import Resolve

_FIRST = 20
_ATTRIBUTES = {
    "department": "Department",
    "division": "Division",
    "organization": "Organization",
    "costCenter": "Cost Center",
    "employeeNumber": "Employee Number",
    "title": "Title",
    "userType": "User Type",
}
_HAS_NO = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.NOT_IMPLEMENTED})


def seen(source: ScimSource, workspace: Path, resolve: Resolve) -> Resources:
    """Returns what the service has; `extractors.look` says what it raises."""
    with opened_service(source, workspace, resolve, time.sleep) as service:
        paging = to_paging(service, source.pagination, source.page_size, source.pages_at_once)
        users = Lister(service, "/Users", _themselves, paging).first(_FIRST)
        has_groups = True
        try:
            Lister(service, "/Groups", _themselves, paging).first(1)
        except AnswerError as error:
            if error.status not in _HAS_NO:
                raise
            has_groups = False
    cells = {name: AttributePath(name).to_cell(" ") for name in _ATTRIBUTES}
    there = [name for name, cell in cells.items() if any(map(cell, users.rows))]
    return Resources(
        users.total,
        has_groups,
        all("active" in user for user in users.rows),
        {_ATTRIBUTES[name]: name for name in there},
    )


def _themselves(resources: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(resources)
