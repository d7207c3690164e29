"""Problems of a source file, each in one line: file, line, key, reason; never the value."""

import difflib
import types
import typing
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.errors import ConfigError
from schemas.source_file.yaml_lines import YamlDocument


def problems_error(
    error: ValidationError, document: YamlDocument, path: str, model: type[BaseModel]
) -> ConfigError:
    """Returns the first problem as `PATH:LINE: KEY: REASON`, and how many more; `lines` has all."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    # A misspelt key comes before the key that is missing for it.
    problems.sort(
        key=lambda problem: (
            problem["type"] == "missing",
            document.line_of(_path_of(problem["loc"], model)),
        ),
    )
    lines = dict.fromkeys(_line(problem, document, path, model) for problem in problems)
    first = next(iter(lines))
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    return ConfigError(f"{first}{more}", lines=tuple(lines))


def _line(problem: ErrorDetails, document: YamlDocument, path: str, model: type[BaseModel]) -> str:
    loc = _path_of(problem["loc"], model)
    is_about_kind = problem["type"].startswith("union_tag")
    key = ".".join(str(part) for part in (*loc, *(["kind"] if is_about_kind else []))) or "the file"
    reason = _reason(problem["type"], problem["msg"], _model_at(model, problem["loc"][:-1]), loc)
    return f"{path}:{document.line_of(loc)}: {key}: {reason}"


_SHAPES = {
    "model_type": "should be keys and values, or left out",
    "model_attributes_type": "should be keys and values, or left out",
    "dict_type": "should be keys and values, or left out",
    "tuple_type": "should be a list: - before each item",
    "string_type": "should be a text",
}
"""By pydantic's type of an error that it words in Python's terms: what a value should be."""


def _reason(
    kind: str, message: str, model: type[BaseModel] | None, loc: tuple[str | int, ...]
) -> str:
    if kind == "extra_forbidden":
        fields = model.model_fields.items() if model else ()
        known = [field.alias or name for name, field in fields]
        close = difflib.get_close_matches(str(loc[-1]), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
        return f"no such key; {hint}"
    if kind in _SHAPES:
        return _SHAPES[kind]
    if kind in {"missing", "union_tag_not_found"}:
        return "is missing"
    if kind == "union_tag_invalid":
        return f"should be one of {message.rpartition('expected tags: ')[2]}"
    return message.removeprefix("Value error, ").replace("Input should be", "should be")


def _path_of(loc: tuple[str | int, ...], whole: type[BaseModel]) -> tuple[str | int, ...]:
    """The path in the file: pydantic puts a union's tag (the `kind`) among the keys."""
    return tuple(
        part for at, part in enumerate(loc) if _members(_annotation_at(whole, loc[:at])) is None
    )


def _model_at(whole: type[BaseModel], loc: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model that the path leads to in `whole`; None where it leads into plain values."""
    return _model_in(_annotation_at(whole, loc))


def _annotation_at(whole: type[BaseModel], loc: tuple[str | int, ...]) -> Any:  # noqa: ANN401
    """The type at the end of the path in `whole`; None where it leads into plain values."""
    annotation: Any = whole
    owner: type[BaseModel] | None = whole
    for part in loc:
        annotation = _without_none(annotation)
        members = _members(annotation)
        if members is not None:
            annotation = members.get(str(part))
        elif typing.get_origin(annotation) in {dict, tuple}:
            annotation = typing.get_args(annotation)[1 if _is_dict(annotation) else 0]
        else:
            model = _model_in(annotation)
            fields = model.model_fields.items() if model else ()
            named = {field.alias or name: field.annotation for name, field in fields}
            owner, annotation = model, named.get(str(part))
        if annotation is typing.Self or typing.Self in typing.get_args(annotation):
            several = types.GenericAlias(tuple, (owner, ...))
            annotation = several if _is_tuple(annotation) else owner
    return annotation


def _is_tuple(annotation: Any) -> bool:  # noqa: ANN401 - any annotation
    return typing.get_origin(annotation) is tuple


def _without_none(annotation: Any) -> Any:  # noqa: ANN401 - any annotation
    """What an annotation that also takes null, or bears more than a type, takes besides."""
    inside = [one for one in typing.get_args(annotation) if one is not type(None)]
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated or (
        origin in {types.UnionType, typing.Union} and len(inside) == 1
    ):
        return _without_none(inside[0])
    return annotation


def _is_dict(annotation: Any) -> bool:  # noqa: ANN401 - any annotation
    return typing.get_origin(annotation) is dict


def _members(annotation: Any) -> dict[str, type[BaseModel]] | None:  # noqa: ANN401 - any annotation
    """The models of a union by their `kind`; None of anything else."""
    models = [member for member in typing.get_args(annotation) if _is_model(member)]
    if typing.get_origin(annotation) is not types.UnionType or len(models) < 2:  # noqa: PLR2004
        return None
    kinds = {
        model: model.model_fields["kind"].annotation
        for model in models
        if "kind" in model.model_fields
    }
    return {typing.get_args(kind)[0]: model for model, kind in kinds.items()} or None


def _is_model(annotation: Any) -> bool:  # noqa: ANN401 - any annotation
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    if _is_model(annotation):
        return typing.cast("type[BaseModel]", annotation)
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is not None:
        inside = (_model_in(argument) for argument in typing.get_args(annotation))
        return next(filter(None, inside), None)
    return None
