"""The proxies that the environment names, checked before anything is sent: a daemon that finds out later tells nobody.

In: a configuration, the environment. Out: a sentence for each setting that obeys the environment and finds a proxy there that cannot be
used, such as a SOCKS proxy in ALL_PROXY. Proxies that the configuration itself names are checked as it is read.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from watchdog.net.http_proxy import ENVIRONMENT, proxy_for

if TYPE_CHECKING:
    from watchdog.config.load import Loaded

__all__ = ["proxy_faults"]


def proxy_faults(loaded: "Loaded", environ: Mapping[str, str]) -> tuple[str, ...]:
    """Each with its file and line."""
    return tuple(f"{place}: {said}" for place, said in _faults(loaded, environ))


def _faults(loaded: "Loaded", environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    settings = loaded.settings
    for index, receiver in enumerate(settings.receiver):
        url = getattr(receiver, "url", None)
        if url is not None and (said := _unusable(url.get_secret_value(), getattr(receiver, "proxy", ""), environ)):
            yield loaded.place(("receiver", index)), f'receiver "{receiver.name}": {said}'
    for index, target in enumerate(settings.target):
        if target.flower and (said := _unusable(target.flower.url, target.flower.proxy, environ)):
            yield loaded.place(("target", index, "flower")), f'target "{target.name}": flower: {said}'
    if settings.heartbeat and (said := _unusable(settings.heartbeat.urls[0], settings.heartbeat.proxy, environ)):
        yield loaded.place(("heartbeat",)), f"heartbeat: {said}"


def _unusable(url: str, setting: object, environ: Mapping[str, str]) -> str:
    """What is wrong with the environment's proxy for this URL; empty where nothing is, or another setting holds."""
    if setting != ENVIRONMENT:
        return ""
    try:
        proxy_for(url, ENVIRONMENT, environ)
    except ValueError as error:
        return str(error)
    return ""
