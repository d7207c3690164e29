"""What was typed: understood where it is clear what was meant, else answered in one line."""

from difflib import get_close_matches
from pathlib import Path

from schemas.errors import ConfigError

PROGRAM = "lumos-ingest"

_WORKSPACE = ("--workspace", "-w")
_ALONE = {"version": "--version", "help": "--help"}
"""Words that are options of their own, typed without their dashes."""

_COMMANDS = {
    "preview": ("plan", "diff", "show", "dry-run", "dryrun", "simulate"),
    "check": ("validate", "test", "lint", "doctor", "verify", "probe"),
    "sync": ("run", "upload", "push", "apply", "import", "ingest", "load", "send"),
    "runs": ("list", "ls", "status", "history", "log", "logs", "jobs"),
    "serve": ("start", "daemon", "schedule", "scheduler", "watch"),
    "new": ("create", "add", "generate", "scaffold"),
    "init": ("setup", "configure", "bootstrap"),
    "why": ("explain", "trace", "who"),
}
"""What other programs call what a command does."""

_PREVIEW = f"{PROGRAM} preview SOURCE shows what a sync would do, and uploads nothing"
_HELD = (
    f'a held plan waits for a person: {PROGRAM} approve RUN --reason "…", or {PROGRAM} sync SOURCE '
    "--allow-removals"
)
_NAMED = "a source is named without an option, by its file's name"
_FOLDER = "--workspace DIR names the folder with sources/"
_OPTIONS = {
    **dict.fromkeys(("--dry-run", "--dryrun", "--plan", "--no-upload", "-n"), _PREVIEW),
    **dict.fromkeys(("--force", "-f", "--yes", "-y", "--approve"), _HELD),
    **dict.fromkeys(("--source", "--sources", "-s", "--name"), _NAMED),
    **dict.fromkeys(("--config", "-c", "--dir", "--directory", "-C", "--root"), _FOLDER),
    **dict.fromkeys(("--output", "-o", "--format"), "--json prints one JSON document"),
}
"""What was meant by options that there are none of."""


def reordered(words: list[str]) -> list[str]:
    """The words with `--workspace` and `--json` behind the command, where they stood before it.

    `help sync` is `sync --help`.
    """
    moved: list[str] = []
    rest = list(words)
    while rest and (rest[0] == "--json" or _is_workspace(rest[0])):
        has_value = rest[0] in _WORKSPACE
        moved += rest[: 1 + has_value]
        rest = rest[1 + has_value :]
    if rest[:1] == ["help"] and len(rest) > 1:
        return [*rest[1:], *moved, "--help"]
    if rest and rest[0] in _ALONE:
        return [_ALONE[rest[0]]]
    return [*rest, *moved]


def _is_workspace(word: str) -> bool:
    return word in _WORKSPACE or word.startswith(("--workspace=", "-w"))


def workspace_in(words: list[str]) -> Path:
    """The folder that the words name as the workspace; the current one where they name none."""
    named = "."
    for word, following in zip(words, [*words[1:], "."], strict=True):
        if word == "--":
            break
        if word in _WORKSPACE:
            named = following
        elif word.startswith("--workspace="):
            named = word.partition("=")[2]
        elif word.startswith("-w"):
            named = word[2:]
    return Path(named)


def check_command_name(words: list[str], commands: list[str]) -> None:
    """Raises unless the first word is a command, or an option.

    Raises:
        ConfigError: there is no such command.
    """
    if not words or words[0] in commands or words[0].startswith("-"):
        return
    word = words[0].casefold()
    meant = [name for name, others in _COMMANDS.items() if word in others]
    meant = meant or get_close_matches(word, commands, 1)
    advice = f"did you mean {PROGRAM} {meant[0]}?" if meant else f"{PROGRAM} -h lists the commands"
    raise ConfigError(f"no command {words[0]!r}: {advice}")


def usage_line(error: Exception) -> str | None:
    """The line about words that the command line refuses; None of any other error."""
    shown = getattr(error, "format_message", None)
    if shown is None:
        return None
    context = getattr(error, "ctx", None)
    command = None if context is None else context.command
    parts = [] if context is None else context.command_path.split()[1:]
    option = getattr(error, "option_name", None)
    is_unknown = option is not None and hasattr(error, "possibilities")
    if is_unknown and command is not None:
        text = _no_such_option(str(option), [] if command is None else _options_of(command), parts)
    else:
        of_ours = getattr(error, "param", None) is None
        text = str(getattr(error, "message", "")) if of_ours else str(shown())
        text = text.strip().rstrip(".")
        text = text[:1].lower() + text[1:]
        if parts and not of_ours:
            text = f"{text}: {' '.join([PROGRAM, *parts])} -h tells how"
    return ": ".join([*parts, text])


def _options_of(command: object) -> list[str]:
    params = getattr(command, "params", [])
    return sorted({name for param in params for name in param.opts if name.startswith("-")})


def _no_such_option(option: str, options: list[str], parts: list[str]) -> str:
    close = get_close_matches(option, [name for name in options if name.startswith("--")], 1)
    if not parts and option not in _OPTIONS:
        advice = f"options stand behind the command, as in {PROGRAM} sync --all"
    elif option in _OPTIONS:
        advice = _OPTIONS[option]
    elif close:
        advice = f"did you mean {close[0]}?"
    else:
        advice = f"{' '.join([PROGRAM, *parts])} -h lists the options"
    return f"no option {option}: {advice}"
