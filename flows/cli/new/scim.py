"""A source file for a SCIM service: how it is logged in to, and which resources it has."""

from extractors.look import look_at_scim
from flows.cli.new.written import Login, Wanted, Written, doubt_lines, flow, not_seen, to_login
from schemas.errors import IngestError
from schemas.source_file.kinds.scim_source import ScimSource


def of_scim(wanted: Wanted) -> Written:
    """Returns what reads the service; a guess where it cannot be looked at.

    Raises:
        ConfigError: the URL is none that credentials may be sent to.
    """
    login = to_login(wanted, "TOKEN", needs_name=False)
    if login.username is not None:
        login = to_login(wanted, "PASSWORD")
    url = login.url.rstrip("/")
    url = url.removesuffix("/Users").removesuffix("/Groups")
    lines = ["source:", "  kind: scim", f"  url: {flow(url)}", *_login_lines(login)]
    source = ScimSource.model_validate({"kind": "scim", "url": url, **_login_of(login)})
    try:
        seen = look_at_scim(source, wanted.workspace, login.resolve)
    except IngestError as problem:
        doubts = [not_seen(problem, login)]
        return Written([*lines, *doubt_lines(doubts)], doubts)
    doubts = []
    if not seen.has_groups:
        lines.append("  groups: false    # the service has none")
    if not seen.shows_active:
        lines.append("  active_absent: refuse    # or a status, such as ACTIVE")
        doubts.append("some users show no `active`: say under active_absent what that means")
    if login.secret is None:
        lines = [line for line in lines if login.variable not in line]
    if seen.attributes:
        lines += ["", "attributes:    # what the first users have; any path of an attribute goes"]
        lines += [f"  {flow(label)}: {flow(path)}" for label, path in seen.attributes.items()]
    count = "users" if seen.user_count is None else f"{seen.user_count} users"
    groups = ", and groups, whose members hold them" if seen.has_groups else ""
    lines += ["", f"# It has {count}{groups}."]
    return Written([*lines, *doubt_lines(doubts)], doubts)


def _login_lines(login: Login) -> list[str]:
    place = {"env": login.variable}
    if login.username is None:
        return [f"  token: {flow(place)}"]
    return [f"  basic: {flow({'username': login.username, 'password': place})}"]


def _login_of(login: Login) -> dict[str, object]:
    place = {"env": login.variable}
    if login.username is not None:
        return {"basic": {"username": login.username, "password": place}}
    return {} if login.secret is None else {"token": place}
