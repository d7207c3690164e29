"""Leases as those who send requests see them."""


def still_held() -> None:
    """The check of a lease that nobody has taken meanwhile."""
