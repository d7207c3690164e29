"""What `check` looks at where a source has activity: its source, its columns, its app."""

from extractors.activity import probe_activity
from flows.checking_columns import probed_table
from flows.errand import activity_app, activity_of, no_activity_app
from flows.secrets import to_resolver
from flows.tools import utc_now
from loaders.apps import find_app
from loaders.lumos_api import LumosApi
from schemas.settings import Settings
from schemas.source_file import Source
from transforms.activity_columns import activity_use


def activity_facts(source: Source, settings: Settings) -> list[str]:
    """What is in place of the activity's source; the accounts' own times come with the accounts.

    Raises:
        SourceError: it cannot be read under the source file.
        ConfigError: the source file names what cannot be.
    """
    origin = source.file.activity_origin
    if origin is None:
        return ["activity: the accounts' last login and last activity"]
    workspace, resolve = settings.workspace, to_resolver(settings.workspace)
    probes = probe_activity(origin, workspace, now=utc_now(), resolve=resolve)
    for probe in probes:
        activity_use(probed_table(probe), activity_of(source).columns)
    if not probes:
        return ["activity: the database takes its query"]
    return [f"{probe.table}: {probe.origin}, {probe.said}" for probe in probes]


def check_activity_app(source: Source, api: LumosApi) -> None:
    """Nothing: the app the activity was seen in is in Lumos, or is the source's own.

    Raises:
        ConfigError: it is not.
        LumosError: Lumos could not be asked.
    """
    app = activity_app(source)
    if app != source.file.app and find_app(api, app) is None:
        raise no_activity_app(source)
