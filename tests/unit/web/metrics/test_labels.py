"""Texts from outside as labels: printable, bounded, and still different from each other."""

import pytest

from watchdog.web.metrics.labels import LONGEST_LABEL, label_name, label_value


def test_an_ordinary_name_stays_as_it_is() -> None:
    assert label_value("shop.orders.charge") == "shop.orders.charge"


@pytest.mark.parametrize("hostile", ["a\nb", "\x1b[2J", "a\u202eb", "\ud800", "\x00"])
def test_what_is_invisible_is_escaped(hostile: str) -> None:
    assert label_value(hostile).isprintable()


@pytest.mark.parametrize("text", ["n" * 500, "\x1b" * 150, "\ud800" * 400])
def test_a_label_is_of_bounded_length(text: str) -> None:
    assert len(label_value(text)) <= LONGEST_LABEL


def test_long_names_that_begin_alike_stay_different() -> None:
    assert label_value("n" * 400 + "a") != label_value("n" * 400 + "b")


def test_an_escape_and_what_looks_like_it_stay_different() -> None:
    assert label_value("\x1b") != label_value(r"\x1b")


@pytest.mark.parametrize(
    ("column", "name"),
    [("queue", "queue"), ("count(*)", "count___"), ("__name__", "name__"), ("2nd", "key_2nd"), ("§", "key"), ("x" * 500, "x" * 60)],
)
def test_a_column_of_a_query_becomes_the_name_of_a_label(column: str, name: str) -> None:
    assert label_name(column) == name
