"""The scenes, each with its truth. Seconds count from the moment the daemon starts, on a cluster that is up.

An end is told a minute after the mend (`keep_firing_for`), so that a scene with an end rests for longer than that."""

from tests.scenes.plays.beats import BEATS
from tests.scenes.plays.brokers import BROKERS
from tests.scenes.plays.healthy import HEALTHY
from tests.scenes.plays.hour import HOUR
from tests.scenes.plays.looks import LOOKS
from tests.scenes.plays.rabbitmq import RABBITMQ
from tests.scenes.plays.runs import RUNS
from tests.scenes.plays.workers import WORKERS

__all__ = ["SCENES"]

SCENES = {scene.name: scene for scene in (*HEALTHY, *HOUR, *WORKERS, *RUNS, *BROKERS, *RABBITMQ, *BEATS, *LOOKS)}
