"""What is written of an incident or a notice is what is read of it, whatever its texts and numbers are."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.builders.outbox import incident, notice
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.model.rows import Cell
from watchdog.store.records import INCIDENT_COLUMNS, incident_cells, incident_from, incident_from_cells, notice_from, notice_text

texts = st.text(st.characters(), max_size=20) | st.sampled_from(["\ud800", "a\udfff b", "\x00", '"\\', "ü", "🔥", "\u2028"])
cells = texts | st.booleans() | st.none() | st.floats(allow_nan=False) | st.sampled_from([float("inf"), 1e300, 2.0**63, -0.0])
mappings = st.dictionaries(texts, texts, max_size=3)
values = st.dictionaries(texts, cells, max_size=4)
LINK = "https://flower.example.com/broker#indexing"


def same(one: object, other: object) -> bool:
    """Equal, and True is not 1.0."""
    return one == other and repr(one) == repr(other)


@given(mappings, mappings, values, texts)
def test_a_notice_is_read_as_it_was_written(key: dict[str, str], labels: dict[str, str], shown: dict[str, Cell], text: str) -> None:
    written = replace(notice(), key=key, labels=labels, values=shown, summary=text, targets=(text, "prod"), link=LINK)
    assert same(notice_from(notice_text(written)), written)


@given(mappings, mappings, values, st.lists(texts, max_size=3))
def test_an_incident_is_read_as_it_was_written(
    key: dict[str, str], labels: dict[str, str], shown: dict[str, Cell], inhibits: list[str]
) -> None:
    written: Incident = replace(
        incident(), key=key, labels=labels, values=shown, inhibits=tuple(inhibits), link=LINK, severe_since={"error": 1.5}
    )
    row = incident_cells(written)
    assert same(incident_from_cells(row), written)
    assert same(incident_from(dict(zip(INCIDENT_COLUMNS, row, strict=True))), written)
