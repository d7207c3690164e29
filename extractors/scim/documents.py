"""What a SCIM service answers, decoded: names folded, since they are of any case (RFC 7643, 2.1).

scim2-models 0.12.3 takes 45 times as long for a page of users, reads `active: "yes"` as true, and
of `active` beside `Active` takes the last without a word: here each of these is seen.
"""

import json
from typing import Any, Final, NoReturn

TWICE: Final = "\0twice"
"""The key under which an object says that one name stands in it twice; no folded name is NUL's."""
SOMEWHERE: Final = "\0twice somewhere"
"""The key under which a document says that one of its objects has `TWICE`."""


class NotJsonError(ValueError):
    """What was answered is no JSON."""


def decode(content: bytes) -> Any:  # noqa: ANN401 - JSON holds anything
    """Returns the document with every name in lower case; an object with one name twice has TWICE.

    Raises:
        NotJsonError: it is none.
    """
    is_twice: list[bool] = []

    def folded(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = {name.lower(): value for name, value in pairs}
        if len(made) != len(pairs):
            made[TWICE] = True
            is_twice.append(True)
        return made

    problem = ""
    try:
        document = json.loads(content, object_pairs_hook=folded, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        problem = type(error).__name__
    if problem:
        raise NotJsonError(problem)
    if is_twice and isinstance(document, dict):
        document[SOMEWHERE] = True
    return document


def _refused(word: str) -> NoReturn:
    raise ValueError(word)


def mark_twice(resources: list[dict[str, Any]]) -> None:
    """Gives TWICE to each resource in which an object, however deep, has one name twice."""
    for resource in resources:
        if _has_twice(resource):
            resource[TWICE] = True


def _has_twice(value: Any) -> bool:  # noqa: ANN401 - JSON holds anything
    if isinstance(value, dict):
        return TWICE in value or any(map(_has_twice, value.values()))
    return isinstance(value, list) and any(map(_has_twice, value))


def text_of(value: Any) -> str | None:  # noqa: ANN401 - JSON holds anything
    """Returns the one text of a value: `true`, digits, JSON of an object; null is none."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def id_of(value: Any) -> str:  # noqa: ANN401 - JSON holds anything
    """Returns an id as its text; empty where there is none."""
    is_id = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
    return str(value) if is_id else ""


def items_of(value: Any) -> list[Any]:  # noqa: ANN401 - JSON holds anything
    """Returns the values of a multi-valued attribute; one that stands alone is a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def item_text(item: Any) -> str | None:  # noqa: ANN401 - JSON holds anything
    """Returns the text of one value: a complex one's `value`."""
    return text_of(item.get("value")) if isinstance(item, dict) else text_of(item)
