"""Charts beside messages: from history to what each service shows, and what becomes of the message where the chart is not taken."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from tests.builders.charts import a_chart, with_chart
from tests.builders.outbox import T0, incident, message, notice, opened, plan
from tests.servers.discord import Discord
from tests.servers.forms import png_size
from tests.servers.receiver import Answer
from tests.servers.slack_api import TOKEN as SLACK_TOKEN
from tests.servers.slack_api import SlackApi
from tests.servers.smtp import SmtpServer
from tests.servers.telegram import CHAT, Telegram
from tests.servers.telegram import TOKEN as TELEGRAM_TOKEN
from watchdog.app.configured import configured
from watchdog.app.watching import build_watching
from watchdog.config.load import load_settings
from watchdog.core.history.series import Keeping, Part, Slice
from watchdog.core.incidents.messages import Event, Message, Post
from watchdog.core.incidents.outcome import Delivered, Later
from watchdog.core.incidents.quiet.deploys import new_deploy
from watchdog.core.model.last_look import LastLook
from watchdog.core.model.severity import Severity
from watchdog.core.rules.overrides import Tuned
from watchdog.core.rules.rule import Rule
from watchdog.daemon.delivery import Delivery
from watchdog.daemon.figures.charts import Charts
from watchdog.daemon.self_monitor import SelfMonitor
from watchdog.receivers import RECEIVERS
from watchdog.receivers.base import Receiver
from watchdog.receivers.pace import Pace
from watchdog.receivers.pictures.drawing import PIXELS
from watchdog.receivers.pictures.words import chart_words
from watchdog.store import Looked, Store
from watchdog.tables.history.kept import KEPT

LOOK_S = 300.0
WORDS = chart_words(a_chart())
RULE = Rule("QueueBacklogHigh", "queues", "length > :limit", params={"limit": 50.0}, key=("name",), columns=("length",))


def made(kind: str, **given: Any) -> Receiver:
    made = RECEIVERS[kind]
    return made.receiver(made.settings.model_validate({"type": kind, "name": "ops", "timeout": "5s", "chart": True, **given}))


def send(to: Receiver, what: Message | None = None) -> Any:
    try:
        return to.send(to.render(what or with_chart()), "01MESSAGE1", T0)
    finally:
        to.close()


# --- Discord ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def discords() -> Iterator[Discord]:
    with Discord() as there:
        yield there


@pytest.fixture
def discord(discords: Discord) -> Discord:
    discords.posts.clear()
    discords.files.clear()
    discords.requests.clear()
    discords.small = False
    return discords


def to_discord(there: Discord) -> Receiver:
    return made("discord", url=f"http://127.0.0.1:{there.port}/api/webhooks/1/s3cret", per_second=1000)


def test_discord_shows_the_chart_in_the_first_embed_with_its_words(discord: Discord) -> None:
    assert send(to_discord(discord)) == Delivered("204")
    [post], [files] = discord.posts, discord.files
    assert post["embeds"][0]["image"] == {"url": "attachment://chart.png"}
    assert post["attachments"] == [{"id": 0, "filename": "chart.png", "description": WORDS}]
    assert png_size(files["files[0]"].content) == PIXELS


def test_discord_gets_the_message_alone_where_it_takes_no_file(discord: Discord) -> None:
    discord.small = True
    with capture_logs() as logs:
        assert send(to_discord(discord)) == Delivered("204")
    assert "image" not in discord.posts[0]["embeds"][0]
    assert [(line["event"], "413" in line["reason"]) for line in logs] == [("sent_without_chart", True)]


def test_each_attempt_has_the_same_bytes(discord: Discord) -> None:
    discord.then(Answer(503))
    to = to_discord(discord)
    body = to.render(with_chart())
    assert [type(to.send(body, "01MESSAGE1", T0)) for _ in range(2)] == [Later, Delivered]
    assert to_discord(discord).send(body, "01MESSAGE1", T0 + 60) == Delivered("204")
    first, *others = [request.body for request in discord.requests]
    assert others == [first] * 2
    to.close()


def test_a_body_that_was_frozen_with_a_chart_is_sent_after_charts_were_switched_off(discord: Discord) -> None:
    body = to_discord(discord).render(with_chart())
    off = made("discord", url=f"http://127.0.0.1:{discord.port}/hook", chart=False)
    assert off.send(body, "01MESSAGE1", T0) == Delivered("204")
    assert discord.files == [{}]
    off.close()


# --- Telegram -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def telegram() -> Iterator[Telegram]:
    with Telegram() as there:
        yield there


def to_telegram(there: Telegram) -> Receiver:
    return made("telegram", url=f"http://127.0.0.1:{there.port}", token=TELEGRAM_TOKEN, chat=CHAT, thread=7, per_second=1000)


def test_telegram_shows_a_short_text_below_its_chart(telegram: Telegram) -> None:
    assert send(to_telegram(telegram)) == Delivered("200")
    [post] = telegram.posts
    assert "A holds 60 messages" in post["caption"]
    assert (png_size(post["photo"].content), post["chat_id"], post["message_thread_id"]) == (PIXELS, str(CHAT), "7")


def test_telegram_shows_a_longer_text_before_its_chart(telegram: Telegram) -> None:
    many = message("1", *(replace(notice(incident(str(n))), summary="x" * 290) for n in range(6)))
    assert send(to_telegram(telegram), with_chart(many)) == Delivered("200")
    text, photo = telegram.posts
    assert len(text["text"]) > 1_024
    assert (photo["caption"], photo["disable_notification"]) == ("length of A, prod", "true")


@pytest.mark.parametrize("notices", [1, 6])
def test_telegram_gets_the_text_alone_where_no_photos_may_be_sent(telegram: Telegram, notices: int) -> None:
    telegram.takes_photos = False
    many = message("1", *(replace(notice(incident(str(n))), summary="x" * 290) for n in range(notices)))
    with capture_logs() as logs:
        assert send(to_telegram(telegram), with_chart(many)) == Delivered("200")
    assert ["text" in post for post in telegram.posts] == [True]
    assert ["rights" in line["reason"] for line in logs] == [True]


# --- e-mail -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    with SmtpServer() as there:
        yield there


def to_mail(there: SmtpServer) -> Receiver:
    return made("email", host="127.0.0.1", port=there.port, security="none", to="ops@example.com", **{"from": "w@example.com"})


def test_mail_has_the_chart_inside_with_its_words(smtp: SmtpServer) -> None:
    assert send(to_mail(smtp)) == Delivered("250")
    [mail] = smtp.taken
    [picture] = [part for part in mail.message.walk() if part.get_content_type() == "image/png"]
    assert f'<img src="cid:{str(picture["Content-ID"])[1:-1]}"' in mail.html
    assert f'alt="{WORDS}"' in mail.html
    assert WORDS in mail.text
    assert (png_size(picture.get_content()), picture.get_content_disposition()) == (PIXELS, "inline")


def test_mail_goes_without_the_chart_where_the_server_finds_it_too_large(smtp: SmtpServer) -> None:
    smtp.answers.append("552 5.3.4 Message too big")
    with capture_logs():
        assert send(to_mail(smtp)) == Delivered("250")
    [mail] = smtp.taken
    assert [part.get_content_type() for part in mail.message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert "cid:" not in mail.html


def test_mail_is_the_same_at_each_attempt(smtp: SmtpServer) -> None:
    to = to_mail(smtp)
    body = to.render(with_chart())
    for _ in range(2):
        assert to.send(body, "01MESSAGE1", T0) == Delivered("250")
    one, two = smtp.taken
    assert one.message.as_bytes() == two.message.as_bytes()


# --- Slack --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def slack() -> Iterator[SlackApi]:
    with SlackApi() as there:
        yield there


def to_slack(there: SlackApi) -> Receiver:
    return made("slack", url=there.api, token=SLACK_TOKEN, channel="#alerts", per_second=1000)


def test_slack_shows_the_chart_in_the_thread_of_its_message(slack: SlackApi) -> None:
    outcome = send(to_slack(slack))
    assert isinstance(outcome, Delivered)
    [upload], [shown] = slack.uploads.values(), slack.shown
    assert (upload.thread, upload.title, upload.alt) == (shown, "length of A, prod", WORDS)
    assert png_size(upload.content) == PIXELS


def test_slack_shows_the_chart_of_an_end_in_the_thread_of_the_beginning(slack: SlackApi) -> None:
    to = to_slack(slack)
    began = to.send(to.render(message("1", notice())), "01MESSAGE1", T0)
    assert isinstance(began, Delivered)
    end = notice(event=Event.RESOLVED)
    over = replace(with_chart(message("2", end)), posts=(Post(began.handle, (end,)),))
    assert isinstance(send(to, over), Delivered)
    assert [upload.thread for upload in slack.uploads.values()] == list(slack.shown)


def test_slack_has_the_message_where_the_app_may_not_upload_and_the_log_says_what_to_do(slack: SlackApi) -> None:
    slack.scopes = {"chat:write"}
    with capture_logs() as logs:
        assert isinstance(send(to_slack(slack)), Delivered)
    assert len(slack.shown) == 1
    assert ["files:write" in line["reason"] for line in logs] == [True]


# --- from history to the message ----------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as one:
        yield one


def look(store: Store, at: float, length: float | None) -> None:
    slice_ = Slice(at, {"queues": Part(at - LOOK_S, at, {("A",): (length, length, 1.0, None), ("B",): (7.0, 7.0, 1.0, None)})})
    with store.cycle() as transaction:
        transaction.record(Looked("prod", slice_, LastLook(at, LOOK_S, {}), at - LOOK_S), Keeping(KEPT))


def charts(store: Store, rule: Rule = RULE) -> Charts:
    return Charts(store, lambda _: (Tuned(rule),), KEPT)


def test_a_chart_has_the_figure_of_the_incident_the_limit_and_the_deploys_of_its_target(store: Store) -> None:
    for nth, length in enumerate((10.0, 20.0, None, 60.0, 70.0)):
        look(store, T0 - LOOK_S * (4 - nth), length)
    for target in ("prod", "other"):
        store.start_deploy(new_deploy(f"of {target}", [target], T0 - 100, 60.0, "x"))
    chart = charts(store).of(message("1", notice(), at=T0))
    assert chart is not None
    assert [[value for _, value in line] for line in chart.lines] == [[10.0, 20.0], [60.0, 70.0]]
    assert [(limit.value, limit.severity) for limit in chart.limits] == [(50.0, Severity.WARNING)]
    assert [deploy.version for deploy in chart.deploys] == ["of prod"]


def test_a_chart_begins_where_something_is_known(store: Store) -> None:
    for nth in range(5):
        look(store, T0 - LOOK_S * (4 - nth), 10.0)
    chart = charts(store).of(message("1", notice(), at=T0))
    assert chart is not None
    assert (chart.since, chart.until) == (T0 - 4.5 * LOOK_S, T0)


@pytest.mark.parametrize(
    "rule",
    [replace(RULE, name="Another"), replace(RULE, when="declared", columns=("declared",)), replace(RULE, table="broker")],
    ids=["no longer there", "no number", "a table without history"],
)
def test_a_rule_without_a_figure_has_no_chart(store: Store, rule: Rule) -> None:
    for nth in range(5):
        look(store, T0 - LOOK_S * (4 - nth), 10.0)
    assert charts(store, rule).of(message("1", notice(), at=T0)) is None


def test_too_little_that_is_known_makes_no_chart(store: Store) -> None:
    look(store, T0, 60.0)
    assert charts(store).of(message("1", notice(), at=T0)) is None


def queue(store: Store, to: Receiver) -> None:
    with store.cycle() as transaction:
        transaction.commit(plan(replace(message("1", notice()), receiver=to.name, created_at=T0), incidents=[incident()], at=T0))


def test_the_delivery_sends_the_chart_of_what_history_keeps(store: Store, discord: Discord) -> None:
    for nth in range(5):
        look(store, T0 - LOOK_S * (4 - nth), 10.0 * nth)
    to = to_discord(discord)
    queue(store, to)
    delivery = Delivery(store, [to], clock=lambda: T0, charts={"ops": charts(store).of})
    assert delivery.drain_once("ops") == 1
    assert "last 40, highest 40, lowest 0; warning above 50" in discord.posts[0]["attachments"][0]["description"]
    to.close()


def test_a_chart_that_cannot_be_made_costs_the_message_nothing(store: Store, discord: Discord) -> None:
    def failing(_: Message) -> None:
        raise ValueError("broken history")

    to = to_discord(discord)
    queue(store, to)
    with capture_logs() as logs:
        assert Delivery(store, [to], clock=lambda: T0, charts={"ops": failing}).drain_once("ops") == 1
    assert [line["reason"] for line in logs if line["event"] == "chart_not_made"] == ["ValueError"]
    assert len(discord.posts) == 1
    to.close()


CONFIG = """
[[target]]
name = "prod"
[target.redis]
url = "redis://127.0.0.1:1/0"

[[receiver]]
name = "ops"
type = "discord"
url = "http://127.0.0.1:{port}/api/webhooks/1/s3cret"
chart = {chart}
"""


@pytest.mark.parametrize(("chart", "attached"), [("true", ["length of A, prod"]), ("false", [])])
def test_the_daemon_sends_charts_of_the_shipped_rules_where_they_are_asked_for(
    store: Store, discord: Discord, tmp_path: Path, chart: str, attached: list[str]
) -> None:
    for nth in range(5):
        look(store, T0 - LOOK_S * (4 - nth), 10.0)
    config = tmp_path / "watchdog.toml"
    config.write_text(CONFIG.format(port=discord.port, chart=chart))
    conf = configured(load_settings(config=config, environ={"HOME": str(tmp_path)}, flags={}, cwd=tmp_path))
    built = build_watching(conf, store, SelfMonitor(), Pace(), lambda: T0, lambda: 0.0)
    queue(store, built.receivers[0])
    assert built.watching._delivery.drain_once("ops") == 1
    assert [one["description"].partition(", 2026")[0] for one in discord.posts[0].get("attachments", [])] == attached
    built.watching._delivery.stop(0.0)
