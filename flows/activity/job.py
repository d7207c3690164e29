"""What a run of activity is about: whose, in which app, of which time."""

from dataclasses import dataclass

from extractors.activity import Span
from flows.run.app_identity import app_of
from flows.run.context import RunContext, lumos_of
from loaders.lumos.apps import find_app
from schemas.errors import ConfigError
from schemas.run import RunKind, RunScope
from schemas.source_file.blocks import Activity, App
from schemas.source_file.file import Source

ALL_TIME = Span()


@dataclass(frozen=True, slots=True)
class ActivityJob:
    """What is to be done: send the source's activity of a time.

    Attributes:
        source: the source.
        activity: its block `activity`.
        app_id: the Lumos app the activity was seen in.
        kind: `activity`, since the watermark, or `backfill`.
        span: of a backfill, the window.
        is_again: whether a window that is done is sent again.
    """

    source: Source
    activity: Activity
    app_id: str
    kind: RunKind = "activity"
    span: Span = ALL_TIME
    is_again: bool = False

    @property
    def key(self) -> str:
        """What no other run may be at work on meanwhile."""
        return self.scope.lease_key

    @property
    def scope(self) -> RunScope:
        """Which runs of the ledger are its own."""
        span = self.span
        return RunScope(self.source.name, self.app_id, self.kind, span.since, span.until)


def to_job(source: Source, context: RunContext) -> ActivityJob:
    """The job of sending the source's activity since its watermark.

    Raises:
        ConfigError: the source file has no activity block, or its app is not in Lumos.
        LumosError: Lumos could not be asked.
    """
    activity = activity_of(source)
    named = activity_app(source)
    is_own = (named.name, named.id) == (source.file.app.name, source.file.app.id)
    app_id = app_of(source, context) if is_own else find_app(lumos_of(context), named)
    if app_id is None:
        raise no_activity_app(source)
    return ActivityJob(source, activity, app_id)


def no_activity_app(source: Source) -> ConfigError:
    """The error of activity whose app is not in Lumos."""
    named = source.file.activity and source.file.activity.app
    return ConfigError(
        f"{source.path}: {'activity.app' if named else 'app.name'}: Lumos has no app of this exact "
        "name; correct it, or sync the source that makes it first"
    )


def activity_of(source: Source) -> Activity:
    """The source file's block `activity`.

    Raises:
        ConfigError: it has none.
    """
    if source.file.activity is None:
        raise ConfigError(
            f"{source.path}: has no block activity: say there where its activity records are"
        )
    return source.file.activity


def activity_app(source: Source) -> App:
    """The app the activity was seen in."""
    named = source.file.activity.app if source.file.activity else None
    return App(name=named.name, id=named.id) if named else source.file.app
