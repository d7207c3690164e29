"""How long a server may say nothing before it counts as lost."""

_LONGEST_GRACE_S = 60.0


def silence_s(timeout_s: float) -> float:
    """The longest silence, in seconds, of a server that ends statements after `timeout_s` itself.

    A server that is alive speaks first.
    """
    return timeout_s + min(timeout_s, _LONGEST_GRACE_S)
