"""Writes the tree in docs/architecture.md from the modules' own first lines: `make docs`."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
ROOMS = ("lumos_ingest", "flows", "extractors", "transforms", "loaders", "schemas", "sandbox")
_BLOCK = re.compile(r"(?<=<!-- tree: make docs -->\n)```.*?```\n", re.DOTALL)


def to_tree() -> str:
    """Every folder and module, a line each, as a block of Markdown; a folder before what it has."""
    lines = [line for room in ROOMS if (ROOT / room).is_dir() for line in _folder(ROOT / room, 0)]
    return "```\n" + "\n".join(lines) + "\n```\n"


def to_page() -> str:
    """The page with its tree as the modules are now."""
    return _BLOCK.sub(lambda _: to_tree(), PAGE.read_text("utf-8"))


def _folder(folder: Path, depth: int) -> list[str]:
    lines = [_line(f"{folder.name}/", folder / "__init__.py", depth)]
    modules = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
    lines += [_line(path.stem, path, depth + 1) for path in modules]
    folders = sorted(path.parent for path in folder.glob("*/__init__.py"))
    return lines + [line for one in folders for line in _folder(one, depth + 1)]


def _line(name: str, module: Path, depth: int) -> str:
    text = ast.get_docstring(ast.parse(module.read_text("utf-8"))) or ""
    return f"{'  ' * depth + name:<28}{text.splitlines()[0].removesuffix('.')}"


if __name__ == "__main__":
    PAGE.write_text(to_page(), "utf-8")
