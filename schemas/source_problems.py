"""What is wrong with a source file, in one line: file, line, key, reason; never the value."""

import difflib
import types
import typing
from typing import Any

from pydantic import BaseModel, ValidationError

from schemas.yaml_text import YamlDocument


def first_problem(
    error: ValidationError, document: YamlDocument, path: str, model: type[BaseModel]
) -> str:
    """The first of the problems as `PATH:LINE: KEY: REASON`, and how many more there are."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    # A misspelt key comes before the key that is missing for it.
    found = min(
        problems,
        key=lambda one: (one["type"] == "missing", document.line_of(tuple(one["loc"]))),
    )
    loc = tuple(found["loc"])
    key = ".".join(str(part) for part in loc) or "the file"
    reason = _reason(found["type"], found["msg"], loc, model)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{path}:{document.line_of(loc)}: {key}: {reason}{more}"


_SHAPES = {
    "model_type": "should be keys and values, or left out",
    "dict_type": "should be keys and values, or left out",
    "tuple_type": "should be a list: - before each item",
    "string_type": "should be a text",
}
"""What pydantic says of these in Python's words."""


def _reason(kind: str, message: str, loc: tuple[str | int, ...], whole: type[BaseModel]) -> str:
    if kind == "extra_forbidden":
        known = _keys_of(_model_at(whole, loc[:-1]))
        close = difflib.get_close_matches(str(loc[-1]), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
        return f"no such key; {hint}"
    if kind in _SHAPES:
        return _SHAPES[kind]
    if kind == "missing":
        return "is missing"
    return message.removeprefix("Value error, ").replace("Input should be", "should be")


def _keys_of(model: type[BaseModel] | None) -> list[str]:
    return list(model.model_fields) if model else []


def _model_at(whole: type[BaseModel], loc: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model that the path leads to in `whole`; None where it leads into plain values."""
    model: type[BaseModel] | None = whole
    is_item = False
    for part in loc:
        if is_item:  # a list's item, or a dict's own key: the model is the one already found
            is_item = False
            continue
        field = model.model_fields.get(str(part)) if model else None
        model = _model_in(field.annotation) if field else None
        is_item = field is not None and typing.get_origin(field.annotation) in {dict, tuple}
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is not None:
        inside = (_model_in(one) for one in typing.get_args(annotation))
        return next((one for one in inside if one), None)
    return None
