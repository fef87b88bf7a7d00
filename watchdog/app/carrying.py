"""What lets workers look in the place of the daemon.

In: a configuration. Out: what is ready to start. Where there is no `[engine]`, nothing of Celery is imported.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from watchdog.app.configured import Configured
from watchdog.config.fingerprint import fingerprint
from watchdog.config.sections.engine import carried_targets

if TYPE_CHECKING:
    from watchdog.daemon.engine.carrying import Carrying

__all__ = ["build_engine"]


def build_engine(conf: Configured, clock: Callable[[], float], stopwatch: Callable[[], float]) -> "Carrying | None":
    """The daemon's side, if an engine is configured. `clock`: of those who look."""
    engine = conf.settings.engine
    if engine is None:
        return None
    from watchdog.daemon.engine.carrying import Carrying  # noqa: PLC0415
    from watchdog.daemon.engine.celery_app import LOOK, engine_app  # noqa: PLC0415
    from watchdog.daemon.engine.other_name import look_for_other_names  # noqa: PLC0415
    from watchdog.daemon.engine.publishing import CeleryBroker, Publisher  # noqa: PLC0415
    from watchdog.daemon.engine.reasons import reason_of  # noqa: PLC0415

    settings, names = conf.settings, carried_targets(conf.settings)
    intervals = {target.name: settings.interval_of(target) for target in settings.target if target.name in names}
    app = engine_app(engine)
    publisher = Publisher(CeleryBroker(app, LOOK, app.conf["broker_url"]), lambda error: reason_of(error, engine.broker))
    watched = {target.name: [one.place for one in (target.redis, target.results) if one is not None] for target in settings.target}
    started = partial(look_for_other_names, engine.broker.place, watched)
    return Carrying(intervals, publisher, fingerprint(conf.loaded), clock, stopwatch, started)
