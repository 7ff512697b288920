"""Where a redirect may lead: to another https address, and never from the internet into a network. Pure."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from yarl import URL

from placed.driver import UnexpectedAnswer

MOST_REDIRECTS = 3
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REMEDY = "open the address in a browser, and name the one that it leads to"


def target_of(here: str, location: str) -> str:
    """The address that a redirect leads to.

    Args:
        here: the address that answered.
        location: the header Location.

    Raises:
        UnexpectedAnswer: it is none that is followed.
    """
    try:
        there = urljoin(here, location.strip()).partition("#")[0]
        parts = urlsplit(there)
        sound = bool(parts.hostname) and parts.port != 0 and there.isprintable() and " " not in there
        URL(there, encoded=True)  # is stricter than urlsplit, and raises what nobody catches later
    except ValueError:
        sound = False
    if not sound or not there.isascii():
        raise UnexpectedAnswer("a redirect to something that is no address", remedy=_REMEDY)
    if parts.scheme.lower() != "https":
        raise UnexpectedAnswer("a redirect to an address without TLS", remedy=_REMEDY)
    if parts.username is not None:
        raise UnexpectedAnswer("a redirect to an address with a login in it", remedy=_REMEDY)
    return there


def too_many() -> UnexpectedAnswer:
    """The error of redirects without an end."""
    return UnexpectedAnswer(f"more than {MOST_REDIRECTS} redirects", remedy=_REMEDY)


def into_private() -> UnexpectedAnswer:
    """The error of a redirect from the internet into a network."""
    return UnexpectedAnswer(
        "a redirect from the internet to an address inside of a network, which is not followed",
        remedy="name the address that it leads to in the settings, if it is really meant",
    )
