"""What a scene is: its truth as data, and the play that the truth is about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from tests.scenes import faketime
from tests.scenes.judge import Also, Need, Verdict, judge, last_due
from tests.scenes.lab import Asked, Lab
from tests.servers import rabbitmq
from tests.servers.flower_versions import flower_python
from tests.servers.green_pools import green_python

__all__ = ["NO_FLOWER", "ON_RABBITMQ", "Scene", "Variant", "lacking", "play"]

NO_FLOWER, ON_RABBITMQ = "none", "rabbitmq"


@dataclass(frozen=True, slots=True)
class Variant:
    """What is different in this run of the scenes.

    `flower`: an older version of it, or NO_FLOWER: then only the daemon is judged, for a single check hears nothing. `broker`: ON_RABBITMQ
    for scenes that are on Redis otherwise: then watchdog asks RabbitMQ itself, and the workers through it. `store`: the URL of an empty
    database on PostgreSQL, in which the daemon keeps what it otherwise keeps in a file.
    """

    flower: str = ""
    broker: str = ""
    store: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """`truth`: one sentence for the table. `budget_s`: the longest it may take. `set_up` starts servers; `act` breaks and repairs.

    `faked_clocks`: some workers run with libfaketime. `asks_rabbitmq`: watchdog asks RabbitMQ itself, not through Flower alone.
    `schedule`: the scheduler whose tasks the daemon expects. `minutes`: how long it lasts, beside its budget, if not told otherwise.
    `green_pools`: its workers need gevent, eventlet and SQLAlchemy.
    """

    name: str
    truth: str
    budget_s: float
    set_up: Callable[[Lab], None]
    act: Callable[[Lab], None]
    needs: tuple[Need, ...] = ()
    also: tuple[Also, ...] = ()
    conf: Mapping[str, object] = field(default_factory=dict)
    database: int = 0
    flower: tuple[str, ...] = ()
    broker: Literal["redis", "rabbitmq"] = "redis"
    visibility_timeout_s: float = 3600.0
    faked_clocks: bool = False
    asks_rabbitmq: bool = False
    schedule: str = ""
    minutes: int = 0
    green_pools: bool = False

    @property
    def longest_s(self) -> float:
        """With its minutes."""
        return self.budget_s + 60.0 * self.minutes


def lacking(scene: Scene, broker: str = "") -> str | None:
    """The program or library that the scene needs, on this broker if it is not its own, and that is not installed, or None."""
    if ON_RABBITMQ in (scene.broker, broker) and rabbitmq.found() is None:
        return "RabbitMQ (its server and epmd)"
    if scene.faked_clocks and faketime.found() is None:
        return "libfaketime"
    return None


def play(scene: Scene, folder: Path, variant: Variant) -> Verdict:
    """Run the scene in that folder, where its logs stay, and judge it."""
    asks_flower = variant.flower != NO_FLOWER
    with Lab(
        folder,
        scene.conf,
        database=scene.database,
        on_rabbitmq=ON_RABBITMQ in (scene.broker, variant.broker),
        visibility_timeout_s=scene.visibility_timeout_s,
        minutes=scene.minutes,
        store=variant.store,
        python=green_python() if scene.green_pools else None,
        flower_python=flower_python(variant.flower) if variant.flower and asks_flower else None,
    ) as lab:
        lab.start_broker()
        scene.set_up(lab)
        lab.start_flower(*scene.flower)
        asked: Asked = "all" if variant.broker or not asks_flower else "rabbitmq" if scene.asks_rabbitmq else ""
        lab.begin(scene.schedule, asked=asked, asks_flower=asks_flower)
        scene.act(lab)
        _wait_for_the_rest(lab, scene)
        told = lab.told()
        (folder / "told.log").write_text("".join(f"{one}\n" for one in told))
        verdict = judge(told, scene.needs, scene.also, lab.looks if asks_flower else [], lab.steps)
        return replace(verdict, false=[*verdict.false, *lab.replayed_otherwise()])


def _wait_for_the_rest(lab: Lab, scene: Scene) -> None:
    """Where a step took long, as a `check` does on a busy machine, the play is over before all that is due must have been told."""
    due = last_due(scene.needs, lab.steps)
    while lab.now < due and judge(lab.told(), scene.needs, scene.also, (), lab.steps).missed:
        lab.rest_until(lab.now + 1)
