"""All targets by name; imported late, so that atheris sees the code that they reach."""

from fuzz.target import Target


def to_targets() -> dict[str, Target]:
    """The targets by name."""
    from fuzz.answers import ANSWER_TARGETS
    from fuzz.files import FILE_TARGETS
    from fuzz.texts import TEXT_TARGETS

    return {one.name: one for one in (*TEXT_TARGETS, *FILE_TARGETS, *ANSWER_TARGETS)}
