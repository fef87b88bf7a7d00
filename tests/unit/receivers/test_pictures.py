"""Charts as pictures: what they say in words, what is drawn, and what becomes of a message whose picture cannot be had."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from pydantic import ValidationError
from structlog.testing import capture_logs

from tests.builders.charts import a_chart
from tests.servers.forms import form_in, png_size
from tests.servers.receiver import Request
from watchdog.core.history.chart import Chart
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.receivers import RECEIVERS
from watchdog.receivers.pictures import drawing
from watchdog.receivers.pictures.drawing import PIXELS, png_of
from watchdog.receivers.pictures.form import form_with_file
from watchdog.receivers.pictures.frozen import frozen, thawed
from watchdog.receivers.pictures.picture import NO_LIBRARY, Picture, Pictures
from watchdog.receivers.pictures.words import chart_words
from watchdog.receivers.settings import ReceiverSettings

CHART = a_chart()
HOSTILE = ["$\\frac{1}{0}$", "a" * 5_000, "日本 \U0001f4a3\u202e", "\x1b[31m\n\r\t\0", "%d {0} </b>", ""]


def draw_dot(chart: Chart) -> bytes:
    return chart.of.encode()


def test_the_words_have_the_figures() -> None:
    assert chart_words(CHART) == (
        "length of A, prod, 2026-11-22 03:15 to 09:15 UTC: last 40, highest 40, lowest 10; warning above 25; critical above 1,000; "
        "unknown for 1h30m; incident since 08:55; deploy v512 at 08:25"
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_the_words_of_awkward_names_are_one_printable_line(text: str) -> None:
    words = chart_words(a_chart(of=text, version=text))
    assert words.isprintable()
    assert len(words) <= 1_000


@pytest.mark.parametrize("text", HOSTILE)
def test_names_are_no_formulas_and_letters_that_the_font_lacks_are_no_warnings(text: str) -> None:
    png = png_of(a_chart(of=text, version=text))
    assert png_size(png) == PIXELS


def test_the_same_figures_give_the_same_bytes_and_few_of_them() -> None:
    one = png_of(CHART)
    drawing._drawn.cache_clear()
    two = png_of(CHART)
    assert one == two
    assert len(one) < 100_000


def test_a_line_of_one_point_and_figures_of_zero_can_be_drawn() -> None:
    png = png_of(replace(CHART, lines=(((CHART.since, 0.0),),), limits=(), deploys=(), unit="bytes"))
    assert png_size(png) == PIXELS


def test_a_body_is_frozen_with_its_figures_and_thawed_again() -> None:
    assert thawed(frozen(b'{"text": "\n"}', CHART)) == (b'{"text": "\n"}', CHART)


def test_a_body_without_a_chart_is_frozen_as_it_is() -> None:
    assert (frozen(b"{}", None), thawed(b"{}")) == (b"{}", (b"{}", None))


def test_figures_that_cannot_be_read_cost_the_body_nothing() -> None:
    assert thawed(b'\x1echart {"incident": 1}\n{}') == (b"{}", None)


def test_a_form_is_the_same_each_time_and_can_be_read() -> None:
    body, kind = form_with_file({"payload_json": '{"a": "ü"}'}, ("files[0]", "chart.png", b"\x89PNG\r\n--x"))
    again, _ = form_with_file({"payload_json": '{"a": "ü"}'}, ("files[0]", "chart.png", b"\x89PNG\r\n--x"))
    assert body == again
    read = form_in(Request("POST", "/", {"content-type": kind}, body, 0.0))
    assert read is not None
    assert (read[0], read[1]["files[0]"].content) == ({"payload_json": '{"a": "ü"}'}, b"\x89PNG\r\n--x")


def test_a_picture_is_drawn_once_for_all_attempts() -> None:
    drawn: list[Chart] = []

    def draw(chart: Chart) -> bytes:
        drawn.append(chart)
        return b"png"

    pictures = Pictures("ops", draw)
    assert pictures.of(CHART) == pictures.of(CHART) == Picture(b"png", "length of A, prod", chart_words(CHART))
    assert drawn == [CHART]


def without_library(chart: Chart) -> bytes:
    raise ImportError(chart.of)


def broken(chart: Chart) -> bytes:
    raise ValueError(chart.of)


@pytest.mark.parametrize(("draw", "reason"), [(without_library, NO_LIBRARY), (broken, "drawing failed (ValueError)")])
def test_what_cannot_be_drawn_is_logged_once(draw: object, reason: str) -> None:
    pictures = Pictures("ops", draw)  # type: ignore[arg-type]
    with capture_logs() as logs:
        assert [pictures.of(CHART), pictures.of(a_chart("B"))] == [None, None]
    assert [(line["event"], line["receiver"], line["reason"]) for line in logs] == [("sent_without_chart", "ops", reason)]


@pytest.fixture
def held() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_drawing_that_takes_too_long_is_not_waited_for(held: threading.Event) -> None:
    pictures = Pictures("ops", lambda _: (held.wait(60), b"late")[1], within_s=0.01)
    with capture_logs() as logs:
        assert pictures.of(CHART) is None
    assert logs[0]["reason"] == "drawing took more than 0.01s"


def outcomes(*answers: Outcome) -> list[Outcome | None]:
    pictures = Pictures("ops", draw_dot)
    with capture_logs():
        return [pictures.sent(CHART, lambda _, answer=answer: answer) for answer in answers]  # type: ignore[misc]


def test_a_refusal_leads_to_a_message_without_its_picture() -> None:
    assert outcomes(Refused("413"), Delivered("200")) == [None, Delivered("200")]


def test_a_receiver_that_is_gone_is_not_asked_twice() -> None:
    assert outcomes(Refused("404", gone=True)) == [Refused("404", gone=True)]


def test_after_three_failed_attempts_the_message_goes_without_its_picture() -> None:
    assert outcomes(*[Later("no answer")] * 4) == [*[Later("no answer")] * 3, None]


def test_what_never_arrived_is_no_failure_of_the_picture() -> None:
    assert outcomes(*[Later("429", never_arrived=True)] * 5) == [Later("429", never_arrived=True)] * 5


SETTINGS: dict[str, dict[str, Any]] = {
    "discord": {"url": "https://discord.com/api/webhooks/1/x"},
    "telegram": {"token": "123456:" + "a" * 30, "chat": 1},
    "email": {"host": "smtp.example.com", "from": "a@example.com", "to": "b@example.com"},
    "slack": {"token": "xoxb-1234567", "channel": "#alerts"},
}


def settings(kind: str, **given: object) -> ReceiverSettings:
    return RECEIVERS[kind].settings.model_validate({"type": kind, "name": "ops", **SETTINGS[kind], **given})


@pytest.mark.parametrize("kind", SETTINGS)
def test_charts_are_shown_where_they_are_asked_for(kind: str) -> None:
    assert [settings(kind).shows_charts, settings(kind, chart=True).shows_charts] == [False, True]


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_chart_changes_nothing_about_what_a_receiver_takes(kind: str) -> None:
    assert settings(kind).fingerprint() == settings(kind, chart=True).fingerprint()


def test_the_configuration_says_how_to_install_what_draws_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchdog.receivers.pictures.settings.find_spec", lambda _: None)
    with pytest.raises(ValidationError, match=r"pip install 'celery-watchdog\[charts\]'"):
        settings("discord", chart=True)


def test_a_webhook_of_slack_takes_no_pictures() -> None:
    with pytest.raises(ValidationError, match="expected the `token` of a bot"):
        RECEIVERS["slack"].settings.model_validate({"type": "slack", "name": "ops", "url": "https://hooks.slack.com/x", "chart": True})


def test_other_receivers_know_no_charts() -> None:
    with pytest.raises(ValidationError, match="chart"):
        RECEIVERS["console"].settings.model_validate({"type": "console", "name": "ops", "chart": True})
