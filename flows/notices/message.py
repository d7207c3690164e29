"""What a person is told of a source: a title and a line or two, with no row and no name in them."""

from schemas.notices import Message, Notice, NoticeEvent

_TITLES: dict[NoticeEvent, str] = {
    "failed": "failed",
    "held": "held for a person",
    "recovered": "accepted again",
    "stale": "not accepted for too long",
}
_MOST_LETTERS = 1000
"""Of the line: channels cut a long message, each at its own length."""


def to_message(notice: Notice, line: str, link: str = "") -> Message:
    """The message of a notice.

    Args:
        notice: what happened.
        line: why, as the ledger and the log have it.
        link: where the run is shown; "" for nowhere.
    """
    what = notice.source if notice.kind == "sync" else f"{notice.source}, {notice.kind}"
    why = " ".join(line.split())
    why = why if len(why) <= _MOST_LETTERS else f"{why[:_MOST_LETTERS]} …"
    body = [why, *_what_to_do(notice), link]
    return Message(
        f"lumos-ingest: {what}: {_TITLES[notice.event]}",
        "\n".join(filter(None, body)),
        notice.event == "recovered",
    )


def _what_to_do(notice: Notice) -> list[str]:
    run_id = notice.run_id
    if notice.event == "held":
        return [
            f"Look at it: lumos-ingest preview {notice.source}",
            f'Decide: lumos-ingest approve {run_id} --reason "…", or reject {run_id}',
        ]
    if run_id is None:
        return []
    return [f"In full: lumos-ingest report {run_id}"]
