"""YAML as a person meant it: every scalar stays the text it is, and every key knows its line.

No value is re-typed on the way (`00012`, `no` and `1.10` stay so; the model decides what they are),
a key written twice is an error instead of the last one winning, and neither tags nor aliases are
followed.
"""

import re
from dataclasses import dataclass

import yaml

from schemas.errors import ConfigError, raise_as

Path = tuple[str | int, ...]

_HALF = re.compile("[\ud800-\udfff]")
"""Half of a character of UTF-16, which no encoding writes: PyYAML lets an escape make one."""


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A parsed document and where its keys stand.

    Attributes:
        content: dicts, lists, text and None; nothing else.
        lines: line number, from 1, of each key and list item by its path.
    """

    content: object
    lines: dict[Path, int]

    def line_of(self, path: Path) -> int:
        """Returns the line of `path`, or of its nearest parent that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def to_yaml_document(text: str, name: str) -> YamlDocument:
    """Parses the document in `text`; `name` is the file's name for messages.

    Raises:
        ConfigError: not YAML, a key twice, a tag, an anchor or alias, or a key that is not plain
            text.
    """

    def malformed(error: yaml.MarkedYAMLError) -> ConfigError:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        return ConfigError(f"{name}:{line}: not valid YAML: {error.problem or error.context}")

    def unreadable(error: yaml.reader.ReaderError) -> ConfigError:
        line = text.count("\n", 0, error.position) + 1
        return ConfigError(f"{name}:{line}: not valid YAML: a character that YAML does not allow")

    node = raise_as(
        lambda: _to_node(text, name),
        {
            yaml.MarkedYAMLError: malformed,
            yaml.reader.ReaderError: unreadable,
            RecursionError: lambda _: ConfigError(f"{name}:1: nested too deep"),
        },
    )
    lines: dict[Path, int] = {}
    return YamlDocument(None if node is None else _plain(node, (), lines, name), lines)


def _to_node(text: str, name: str) -> yaml.Node | None:
    for event in yaml.parse(text, yaml.SafeLoader):
        _check_event(event, name)
    return yaml.compose(text, yaml.SafeLoader)


def _check_event(event: yaml.Event, name: str) -> None:
    """Refuses what would make a value other than the text that stands there."""
    line = event.start_mark.line + 1 if event.start_mark else 1
    if getattr(event, "anchor", None):
        raise ConfigError(
            f"{name}:{line}: anchors and aliases (& and *) are not used in a source file"
        )
    tag = getattr(event, "tag", None)
    if tag:
        raise ConfigError(f"{name}:{line}: the tag {tag} is not allowed")
    if isinstance(event, yaml.ScalarEvent) and _HALF.search(event.value):
        raise ConfigError(
            f"{name}:{line}: an escape from \\ud800 to \\udfff is half a character: write the "
            "character itself"
        )


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int], name: str) -> object:
    if isinstance(node, yaml.MappingNode):
        return _plain_mapping(node, path, lines, name)
    if isinstance(node, yaml.SequenceNode):
        items: list[object] = []
        for index, item in enumerate(node.value):
            lines[(*path, index)] = item.start_mark.line + 1
            items.append(_plain(item, (*path, index), lines, name))
        return items
    is_plain = isinstance(node, yaml.ScalarNode) and not node.style
    return None if is_plain and node.value in {"", "~", "null"} else node.value


def _plain_mapping(
    node: yaml.MappingNode, path: Path, lines: dict[Path, int], name: str
) -> dict[str, object]:
    mapping: dict[str, object] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise ConfigError(f"{name}:{line}: a key must be plain text")
        key = key_node.value
        if key in mapping:
            raise ConfigError(f"{name}:{line}: the key {key!r} stands here twice")
        lines[(*path, key)] = line
        mapping[key] = _plain(value_node, (*path, key), lines, name)
    return mapping
