"""Checks the proxies named by the environment at startup: a daemon that discovers a bad one later could notify nobody.

In: a configuration, the environment. Out: a sentence for each setting that uses the environment and finds an unusable proxy there, such as
a SOCKS proxy in ALL_PROXY. Proxies named in the configuration are checked when it is read.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from watchdog.net.http_proxy import ENVIRONMENT, proxy_for

if TYPE_CHECKING:
    from watchdog.config.load import Loaded

__all__ = ["proxy_faults"]


def proxy_faults(loaded: "Loaded", environ: Mapping[str, str]) -> tuple[str, ...]:
    """The faults, each with its file and line."""
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
    for index, mirror in enumerate(settings.alertmanager):
        if said := _unusable(mirror.url.get_secret_value(), mirror.proxy, environ):
            yield loaded.place(("alertmanager", index)), f"alertmanager: {said}"
    if settings.heartbeat and (said := _unusable(settings.heartbeat.urls[0], settings.heartbeat.proxy, environ)):
        yield loaded.place(("heartbeat",)), f"heartbeat: {said}"


def _unusable(url: str, setting: object, environ: Mapping[str, str]) -> str:
    """What is wrong with the environment's proxy for this URL; empty if nothing is, or the environment is not used."""
    if setting != ENVIRONMENT:
        return ""
    try:
        proxy_for(url, ENVIRONMENT, environ)
    except ValueError as error:
        return str(error)
    return ""
