"""Metric families of `prometheus-client`, made with labels that differ from sample to sample where they must.

In: names, labels and numbers. Out: `Metric` values, ready for its exposition. What has no samples is left out.
"""

from collections.abc import Iterable, Sequence
from math import inf

from prometheus_client import Metric
from prometheus_client.registry import Collector

__all__ = ["Families", "Family", "HistogramFamily"]


class Family:
    """One family under construction."""

    def __init__(self, name: str, meaning: str, *, counter: bool = False) -> None:
        self.metric = Metric(name, meaning, "counter" if counter else "gauge")
        self._sample = f"{name}_total" if counter else name

    def add(self, labels: dict[str, str], value: float) -> None:
        """Add one series."""
        self.metric.add_sample(self._sample, labels, value)


class HistogramFamily(Family):
    """A family of histograms."""

    def __init__(self, name: str, meaning: str) -> None:
        super().__init__(name, meaning)
        self.metric = Metric(name, meaning, "histogram")

    def add_histogram(self, labels: dict[str, str], bounds: Sequence[float], counts: Sequence[int], total: float) -> None:
        """Add one histogram: how many values lie between its bounds, and above the last one."""
        name, below = self.metric.name, 0
        for bound, count in zip((*bounds, inf), counts, strict=True):
            below += count
            self.metric.add_sample(f"{name}_bucket", {**labels, "le": "+Inf" if bound == inf else str(bound)}, below)
        self.metric.add_sample(f"{name}_count", labels, below)
        self.metric.add_sample(f"{name}_sum", labels, total)


class Families(Collector):
    """Families that were made before they are collected."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = [metric for metric in metrics if metric.samples]

    def collect(self) -> Iterable[Metric]:
        """Return them."""
        return self._metrics
