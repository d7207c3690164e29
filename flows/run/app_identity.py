"""Which app a source feeds: the one it has fed, whatever it is called now, or the one it names."""

import logging

from flows.run.context import RunContext, lumos_of
from loaders.lumos.apps import find_app, saved_app
from schemas.errors import ConfigError
from schemas.source_file.file import Source

_log = logging.getLogger(__name__)


def app_of(source: Source, context: RunContext) -> str | None:
    """The id of the app that the source feeds; None where it has fed none, and none is so called.

    A source that names its app goes on feeding the one that it has fed, under whatever name; a
    name alone never makes it feed another, and never makes a second.

    Raises:
        ConfigError: that app is gone, or its name is another app's now: a person must say which.
        LumosError: Lumos could not be asked, or has several apps of that name.
    """
    app, api = source.file.app, lumos_of(context)
    fed = context.ledger.fed_app(source.name, context.settings.api_url)
    if app.id is not None or fed is None or app.name is None:
        return find_app(api, app)
    saved = saved_app(api, fed)
    if saved is None or saved.is_disconnected:
        gone = "Lumos has no such app any more" if saved is None else "Lumos has disconnected it"
        raise ConfigError(
            f"{source.path}: app: this source has fed the app {fed}, and {gone}: write app: "
            "{id: …}, the id of the app that it shall feed from now on"
        )
    if saved.name == app.name:
        return fed
    named = find_app(api, app)
    if named not in {None, fed}:
        raise ConfigError(
            f"{source.path}: app.name: this source has fed the app {fed}, which Lumos calls "
            f"{saved.name!r} now, and another app, {named}, is called {app.name!r}: write app: "
            f"{{id: {fed}}} to go on with that one, or app: {{id: {named}}} to feed the other"
        )
    _log.warning(
        "%s: goes on feeding the app %s, which Lumos calls %r; the source file calls it %r",
        source.name, fed, saved.name, app.name,
    )  # fmt: skip
    return fed
