"""Deploys as JSON documents, and what each hides.

In: deploys and the open incidents, now (epoch seconds). Out: documents; and the words and facts that the page about deploys needs too.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.payload import iso
from watchdog.core.incidents.quiet.deploys import Deploy

__all__ = [
    "DeployDocument",
    "DeploysDocument",
    "StartedDeployDocument",
    "deploy_state",
    "deploys_document",
    "hidden_by_deploys",
    "started_document",
]


class DeployDocument(Struct, frozen=True, kw_only=True):
    """One deploy. `hides`: the ids of the open incidents that it hides; of one that has ended, those that it would hide."""

    id: str
    version: str
    state: Literal["going on", "ended"]
    targets: Sequence[str]
    starts_at: str
    ends_at: str
    author: str
    hides: Sequence[str]


class DeploysDocument(Struct, frozen=True, kw_only=True):
    """Deploys, oldest first."""

    version: Literal[1] = 1
    deploys: Sequence[DeployDocument]


class StartedDeployDocument(Struct, frozen=True, kw_only=True):
    """A deploy that just began. `ended`: the versions of those that it replaced."""

    version: Literal[1] = 1
    deploy: DeployDocument
    ended: Sequence[str]


def deploys_document(deploys: Iterable[Deploy], incidents: Sequence[Incident], now: float) -> DeploysDocument:
    """The list."""
    return DeploysDocument(deploys=[_document(one, incidents, now) for one in deploys])


def started_document(deploy: Deploy, replaced: Sequence[Deploy], incidents: Sequence[Incident], now: float) -> StartedDeployDocument:
    """What began."""
    return StartedDeployDocument(deploy=_document(deploy, incidents, now), ended=[one.version for one in replaced])


def deploy_state(deploy: Deploy, now: float) -> Literal["going on", "ended"]:
    """Whether it goes on."""
    return "going on" if deploy.covers(now) else "ended"


def hidden_by_deploys(deploys: Sequence[Deploy], incidents: Iterable[Incident]) -> list[Incident]:
    """The open incidents that they hide while they go on."""
    return [incident for incident in incidents if any(one.hides(incident) for one in deploys)]


def _document(deploy: Deploy, incidents: Sequence[Incident], now: float) -> DeployDocument:
    return DeployDocument(
        id=deploy.id,
        version=deploy.version,
        state=deploy_state(deploy, now),
        targets=list(deploy.targets),
        starts_at=iso(deploy.starts_at),
        ends_at=iso(deploy.ends_at),
        author=deploy.author,
        hides=[incident.id for incident in hidden_by_deploys([deploy], incidents)],
    )
