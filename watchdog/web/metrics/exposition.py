"""One answer to Prometheus: what is gathered from the site, in the format that the scraper asks for.

In: the site, the form, the targets asked for, the `Accept` header. Out: the body and its type. `prometheus-client` is imported with this
module, on the first scrape.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.exposition import choose_encoder

from watchdog.core.model.target import SELF
from watchdog.web.metrics.celery_exporter.form import Totals, celery_families
from watchdog.web.metrics.families import Families
from watchdog.web.metrics.incidents import incident_families
from watchdog.web.metrics.own import own_families
from watchdog.web.metrics.seen import own_readings, readings_of
from watchdog.web.metrics.tables import table_families
from watchdog.web.site import Site

__all__ = ["Exposition"]

Form = Callable[[Site, Collection[str]], Iterable[Metric]]


class Exposition:
    """What one application exposes. Some counters are added up from scrape to scrape."""

    def __init__(self) -> None:
        totals = Totals()
        self._forms: Mapping[str, Form] = {"watchdog": _watchdog, "celery-exporter": partial(celery_families, totals=totals)}

    def exposed(self, site: Site, form: str, targets: Collection[str], accept: str) -> tuple[bytes, str]:
        """Return the metrics of these targets and their content type."""
        encode, content_type = choose_encoder(accept)
        return encode(Families(self._forms[form](site, targets))), content_type


def _watchdog(site: Site, targets: Collection[str]) -> Iterator[Metric]:
    now = site.clock()
    looks = site.store.last_looks()
    readings = {target: readings_of(looks[target], now) for target in targets if target in looks}
    if not site.stands_by():
        readings[SELF] = own_readings(site.self_seen(), now)
    yield from own_families(site, looks)
    yield from table_families(readings)
    yield from incident_families(one for one in site.store.incidents() if one.target in targets or one.target == SELF)
    yield from ProcessCollector(registry=CollectorRegistry()).collect()
