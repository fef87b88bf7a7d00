"""`link` of a target: the address at which people open its Flower.

In: what the user wrote, or the URL that watchdog polls. Out: an address without credentials that may stand in every message, or none.
"""

from urllib.parse import quote, urlsplit

__all__ = ["openable", "opened_at"]

LONGEST_ADDRESS = 500
NO_LINK = "none"
_OF_URLS = "!$%&'()*+,/:;=[]"
"""Characters besides letters and digits that stay unescaped in a URL; those that markup could interpret are not among them."""


def openable(link: str) -> str:
    """Check what the user wrote. The ValueError says what was expected."""
    if link == NO_LINK:
        return link
    try:
        parts = urlsplit(link)
        parts.port  # noqa: B018 - raises if it is not a number
    except ValueError:
        raise ValueError("expected a URL such as https://flower.example.com, found one whose host or port cannot be read") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f'expected the address at which people open Flower, such as https://flower.example.com, or "{NO_LINK}"')
    if "@" in link:
        raise ValueError("expected no credentials in a link that every receiver gets, found an @")
    if parts.query or parts.fragment:
        raise ValueError("expected Flower's address with its url_prefix at most, found a ? or # in the URL")
    if quote(link, safe=_OF_URLS) != link or len(link) > LONGEST_ADDRESS:
        raise ValueError(
            f"expected at most {LONGEST_ADDRESS} characters that stand in URLs (anything else %-escaped), found others or more"
        )
    return link.rstrip("/")


def opened_at(link: str | None, polled: str | None) -> str | None:
    """The URL at which people open a Flower: `link`, else the one that watchdog polls, without credentials (see `FlowerSettings`)."""
    if link is not None:
        return None if link == NO_LINK else link
    if polled is None or "@" in polled:  # what looks like its path may be a password that contains a slash
        return None
    address = quote(polled, safe=_OF_URLS)
    return address if len(address) <= LONGEST_ADDRESS else None
