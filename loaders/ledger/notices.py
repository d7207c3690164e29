"""What people were told last of each source: claimed before it is told, so that it is told once."""

from dataclasses import asdict, dataclass, fields
from datetime import timedelta

import sqlalchemy as sa

from loaders.ledger.engine import insert_or
from loaders.ledger.ledger import Ledger
from loaders.ledger.tables import notices
from schemas.notices import Notice

_COLUMNS = [notices.c[field.name] for field in fields(Notice)]


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to tell something.

    Attributes:
        before: what was told last, before it; None where nothing was.
    """

    before: Notice | None


def claim_notice(ledger: Ledger, notice: Notice, quiet_for: timedelta) -> Claim | None:
    """The right to tell the notice; None where it is no news, or another process tells it.

    The same event is news again after `quiet_for`; a recovery only after something else.
    """

    def claim(connection: sa.Connection) -> Claim | None:
        row = connection.execute(_select(notice).with_for_update()).first()
        before = None if row is None else Notice(**row._asdict())
        if not _is_news(notice, before, quiet_for):
            return None
        if before is not None:
            change = notices.update().where(_is_of(notice)).values(**asdict(notice))
            connection.execute(change)
            return Claim(before)
        insert = insert_or(connection, notices)
        new = insert.values(**asdict(notice)).on_conflict_do_nothing()
        is_ours = connection.execute(new.returning(notices.c.source)).first() is not None
        return Claim(None) if is_ours else None

    return ledger.in_transaction(claim)


def put_back(ledger: Ledger, notice: Notice, claim: Claim) -> None:
    """Has the ledger forget a notice that nobody took, unless another came since."""
    is_ours = _is_of(notice) & (notices.c.noticed_at == notice.noticed_at)
    before = claim.before
    change = (
        notices.delete().where(is_ours)
        if before is None
        else notices.update().where(is_ours).values(**asdict(before))
    )
    ledger.in_transaction(lambda connection: connection.execute(change))


def _is_news(notice: Notice, before: Notice | None, quiet_for: timedelta) -> bool:
    if notice.event == "recovered":
        return before is not None and before.event != "recovered"
    if before is None or before.event != notice.event:
        return True
    return abs(notice.noticed_at - before.noticed_at) >= quiet_for


def _is_of(notice: Notice) -> sa.ColumnElement[bool]:
    return (notices.c.source == notice.source) & (notices.c.kind == notice.kind)


def _select(notice: Notice) -> sa.Select[tuple[object, ...]]:
    return sa.select(*_COLUMNS).where(_is_of(notice))
