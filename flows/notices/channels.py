"""Channels: where messages go, by apprise. Their addresses are secrets, and no error has one."""

import logging
from typing import TYPE_CHECKING

from pydantic import SecretStr

from schemas.notices import Message

if TYPE_CHECKING:
    from apprise import Apprise

UNKNOWN = "an address is none that apprise knows: write it as apprise does, json://host/path"


def problem_of(addresses: SecretStr) -> str | None:
    """What is wrong with the addresses as they are written; None where nothing is."""
    return _channels(addresses)[1]


def deliver(addresses: SecretStr, message: Message) -> str | None:
    """Delivers a message over each of the channels; why one did not take it, None where all did.

    Each is given a few seconds, and asked once.

    Args:
        addresses: apprise's URLs, with blanks, line breaks or commas between them.
        message: what to tell.
    """
    from apprise import NotifyFormat, NotifyType

    channels, problem = _channels(addresses)
    kind = NotifyType.SUCCESS if message.is_good else NotifyType.FAILURE
    if len(channels) and not channels.notify(
        body=message.body, title=message.title, notify_type=kind, body_format=NotifyFormat.TEXT
    ):
        return problem or "a channel did not take the message"
    return problem


def _channels(addresses: SecretStr) -> "tuple[Apprise, str | None]":
    from apprise import Apprise, AppriseAsset

    # It writes addresses, secrets and all, into its log.
    its_log = logging.getLogger("apprise")
    its_log.handlers, its_log.propagate = [logging.NullHandler()], False
    asset = AppriseAsset(app_id="lumos-ingest", app_desc="lumos-ingest", app_url="")
    channels = Apprise(asset=asset)
    is_whole = channels.add(addresses.get_secret_value())
    return channels, None if is_whole else UNKNOWN
