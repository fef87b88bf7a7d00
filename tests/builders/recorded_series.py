"""What Prometheus would keep of scrapes at equal distances, written down as the input of `promtool test rules`.

In: texts of `/metrics`, one for each scrape, and the labels that Prometheus adds. Out: series with a value for each scrape; a series that
is no longer there is stale, as Prometheus marks it.
"""

from collections.abc import Mapping, Sequence

from prometheus_client.parser import text_string_to_metric_families

__all__ = ["InputSeries", "recorded"]

InputSeries = dict[str, str]
NOT_YET, GONE = "_", "stale"


def recorded(scrapes: Sequence[str], added: Mapping[str, str]) -> list[InputSeries]:
    """The `input_series` of a test; `added`: the labels of the job."""
    values: dict[str, list[str]] = {}
    for nth, text in enumerate(scrapes):
        for family in text_string_to_metric_families(text):
            for one in family.samples:
                labels = ",".join(f'{label}="{value}"' for label, value in sorted({**one.labels, **added}.items()))
                known = values.setdefault(f"{one.name}{{{labels}}}", [])
                known += [GONE if known else NOT_YET] * (nth - len(known))
                known.append(str(one.value))
    return [{"series": series, "values": " ".join([*known, *[GONE] * (len(scrapes) - len(known))])} for series, known in values.items()]
