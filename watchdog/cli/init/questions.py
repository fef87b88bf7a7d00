"""The questions of `watchdog init` on a terminal, for what it could not find. Enter accepts the default, Ctrl-C writes no file.

Credentials that are typed are used to try the address, and are not written to the file.
"""

from collections.abc import Callable

import click
from msgspec.structs import replace

from watchdog.cli.init.look import Found, look, unusable, unusable_name
from watchdog.cli.init.places import USUAL, Place
from watchdog.cli.init.text import RECEIVERS

__all__ = ["Questions"]

NONE = "none"
_TRIES = 3
_TITLES = {"flower": "Flower", "redis": "Redis, the broker", "rabbitmq": "RabbitMQ's management API"}


class Questions:
    """`ask(text, default)` returns what was typed, or the default if that was empty; `ask_hidden(text)` does the same without echo."""

    def __init__(
        self,
        ask: Callable[[str, str], str],
        ask_hidden: Callable[[str], str],
        report: Callable[[Found], None],
        look_at: Callable[[Place], Found] = look,
    ) -> None:
        self._ask, self._ask_hidden, self._report, self._look = ask, ask_hidden, report, look_at

    def source(self, found: Found | None, kind: str) -> Found | None:
        """Ask where the source is, after one that was found does not answer; None if there is none."""
        if found is not None and found.wants_credentials:
            return self._let_in(found)
        default = USUAL[kind] if found is None or unusable(found.place) else found.place.url
        place = self._place(kind, found.place if found and found.place.url == default else Place(kind, default))
        if place is None:
            return None
        if found is not None and place.url == found.place.url:
            return Found(replace(place, origin=place.origin or "you", note=""), answers=False, said=found.said)
        return self._let_in(self._looked(place))

    def name(self, usual: str) -> str:
        """Ask for the target's name in messages."""
        while True:
            name = self._ask("The cluster's name in messages", usual)
            wrong = unusable_name(name)
            if wrong is None:
                return name
            click.echo(wrong, err=True)

    def receiver(self, usual: str) -> str:
        """Ask who is notified."""
        while True:
            kind = self._ask(f"Receiver: {', '.join(RECEIVERS)}", usual)
            if kind in RECEIVERS:
                return kind
            click.echo(f"expected one of {', '.join(RECEIVERS)}", err=True)

    def _place(self, kind: str, usual: Place) -> Place | None:
        while True:
            typed = self._ask(f'URL of {_TITLES[kind]}, or "{NONE}"', usual.shown)
            if typed == NONE:
                return None
            place = usual if typed == usual.shown else Place(kind, typed, "you")
            wrong = unusable(place)
            if wrong is None:
                return place
            click.echo(wrong, err=True)

    def _let_in(self, found: Found) -> Found:
        """Ask for credentials until they are accepted; after an empty answer or three attempts, return the source as it is."""
        for _ in range(_TRIES):
            if not found.wants_credentials:
                break
            who = found.place.kind.title()
            username = self._ask(f"User name for {who}" + (", empty for none" if found.place.kind == "redis" else ""), "")
            password = self._ask_hidden(f"Password for {who} (not shown, not written)")
            if not username and not password:
                break
            place = found.place.let_in(username, password)
            if wrong := unusable(place):
                click.echo(wrong, err=True)
            else:
                found = self._looked(place)
        return found

    def _looked(self, place: Place) -> Found:
        found = self._look(place)
        self._report(found)
        return found
