"""What Prometheus is shown, whatever names and numbers a cluster has: text that can be read back, series by series."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_open_metrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open_metrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from tests.builders.incidents import an_incident
from watchdog.core.model.rows import Reading, Row
from watchdog.core.text.sanitize import sanitize
from watchdog.web.metrics.families import Families
from watchdog.web.metrics.incidents import incident_families
from watchdog.web.metrics.labels import LONGEST_LABEL, label_value
from watchdog.web.metrics.tables import table_families

texts = st.text(st.characters(), max_size=2 * LONGEST_LABEL)
lengths = st.dictionaries(texts, st.floats(allow_nan=False), max_size=8)
keys = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), texts, max_size=4)


def of_queues(found: dict[str, float]) -> Families:
    rows = tuple(Row({"name": name, "length": length}) for name, length in found.items())
    return Families(table_families({"prod": {"queues": Reading(rows)}}))


@given(lengths)
def test_every_queue_comes_back_with_its_length(found: dict[str, float]) -> None:
    read = read_text(generate_latest(of_queues(found)).decode())
    shown = {one.labels["name"]: one.value for family in read for one in family.samples if one.name == "watchdog_queues_length"}
    assert shown == {label_value(name): length for name, length in found.items()}


@given(lengths)
def test_open_metrics_can_be_read_back(found: dict[str, float]) -> None:
    text: str = generate_open_metrics(of_queues(found)).decode()  # type: ignore[no-untyped-call]
    read = read_open_metrics(text)  # type: ignore[no-untyped-call]
    shown = {one.labels["name"]: one.value for family in read for one in family.samples if one.name == "watchdog_queues_length"}
    assert shown == {label_value(name): length for name, length in found.items()}


@given(texts)
def test_no_label_has_an_invisible_character(text: str) -> None:
    assert sanitize(label_value(text)) == label_value(text)


@given(texts)
def test_a_label_is_of_bounded_length(text: str) -> None:
    assert len(label_value(text)) <= LONGEST_LABEL


@given(keys)
def test_an_incident_comes_back_with_a_label_for_each_cell_of_its_key(key: dict[str, str]) -> None:
    read = read_text(generate_latest(Families(incident_families([an_incident(key=key)]))).decode())
    (shown,) = [one.labels for family in read for one in family.samples if one.name == "watchdog_incident"]
    assert len(shown) == 4 + len(key)
