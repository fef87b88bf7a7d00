"""watchdog's own figures, beside its own tables: its version, whether its cycles run, and how old what it shows is.

In: the site. Out: metric families.
"""

import platform
from collections.abc import Iterator, Mapping

from prometheus_client import Metric

from watchdog import __version__
from watchdog.core.model.last_look import LastLook
from watchdog.core.model.target import SELF
from watchdog.web.metrics.families import Family
from watchdog.web.site import Site

__all__ = ["own_families"]


def own_families(site: Site, looks: Mapping[str, LastLook]) -> Iterator[Metric]:
    """Yield the families. `looks`: those of the targets that are shown. What only who works can say, who stands by does not say."""
    now, overdue = site.clock(), frozenset(site.overdue())
    build = Family("watchdog_build_info", "1; its labels are the versions of watchdog and of Python")
    build.add({"version": __version__, "python": platform.python_version()}, 1.0)
    stands_by = bool(site.stands_by())
    waiting = Family("watchdog_standing_by", "1 while this daemon stands by for another one, 0 while it works")
    waiting.add({}, float(stands_by))
    ready = Family("watchdog_ready", "1 once every target has been looked at")
    delivering = Family("watchdog_delivering", "1 while the thread of every receiver runs")
    if not stands_by:
        ready.add({}, float(site.ready()))
        delivering.add({}, float(site.delivering()))
    late = Family("watchdog_target_overdue", "1 while the cycle of the target does not finish")
    looked = Family("watchdog_last_look_timestamp_seconds", "when the target was last looked at")
    age = Family("watchdog_last_look_age_seconds", "how long ago the target was last looked at")
    for target in (*site.targets, SELF):
        if not stands_by:
            late.add({"target": target}, float(target in overdue))
        if target in looks:
            looked.add({"target": target}, looks[target].at)
            age.add({"target": target}, max(now - looks[target].at, 0.0))
    yield from (family.metric for family in (build, waiting, ready, delivering, late, looked, age))
