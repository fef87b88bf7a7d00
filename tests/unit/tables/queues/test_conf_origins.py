"""`config show --live`: each setting in force, and who says so."""

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_conf, a_target
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch
from watchdog.cli.config.live import LiveTarget, live_document
from watchdog.cli.config.page import live_page
from watchdog.cli.output.page import plain
from watchdog.core.model.target import Target
from watchdog.tables.queues.conf_origins import LiveSetting, live_settings, unanswered

WEB, GPU = "celery@web-1", "celery@gpu-1"
FLOWER_DOWN, REDIS_DOWN = "flower: connection refused", "redis: connection refused"


def with_conf(web: dict[str, object], gpu: dict[str, object] | None = None) -> Cluster:
    cluster = healthy()
    for name, said in ((WEB, web), (GPU, web if gpu is None else gpu)):
        cluster.cache[name] = replace(cluster.cache[name], conf=a_conf(**said))
    return cluster


def settings(cluster: Cluster, target: Target | None = None) -> list[LiveSetting]:
    target = target or a_target()
    return live_settings(target, Watch(cluster, target)._ask(NOW))


def of(name: str, cluster: Cluster, target: Target | None = None) -> LiveSetting:
    return next(setting for setting in settings(cluster, target) if setting.name == name)


def told(setting: LiveSetting) -> tuple[object, str]:
    return setting.value, setting.origin


def test_what_is_configured_wins() -> None:
    cluster = with_conf({"visibility_timeout_s": 600.0})
    assert told(of("visibility_timeout", cluster, a_target(visibility_timeout_s=7200.0))) == ("2h", "configured")


def test_workers_that_say_otherwise_are_named() -> None:
    cluster = with_conf({"visibility_timeout_s": 600.0}, {"visibility_timeout_s": 7200.0})
    assert of("visibility_timeout", cluster, a_target(visibility_timeout_s=7200.0)).others == ((WEB, "10m"),)


def test_without_flower_workers_say_it_themselves() -> None:
    setting = of("visibility_timeout", with_conf({"visibility_timeout_s": 600.0}), a_target(sources=frozenset({"redis", "celery"})))
    assert setting.value == "10m"


def test_else_the_first_worker_that_says_it_is_believed() -> None:
    setting = of("visibility_timeout", with_conf({"visibility_timeout_s": 600.0}, {"visibility_timeout_s": 7200.0}))
    assert (told(setting), setting.others) == (("2h", f"worker {GPU}"), ((WEB, "10m"),))


@pytest.mark.parametrize(
    ("name", "value"), [("visibility_timeout", "1h"), ("priority_steps", "0, 3, 6, 9"), ("separator", "\x06\x16"), ("key_prefix", "")]
)
def test_what_no_conf_mentions_is_celerys_default(name: str, value: str) -> None:
    setting = of(name, with_conf({}))
    assert (setting.value, setting.origin) == (value, "Celery's default")


def test_a_prefix_that_only_bindings_tell_is_found_in_redis() -> None:
    cluster = Cluster()
    cluster.sets["shop:_kombu.binding.mails"] = frozenset({"mails\x06\x16\x06\x16mails"})
    target = a_target(sources=frozenset({"redis"}))
    assert told(of("key_prefix", cluster, target)) == ("shop:", "found in Redis' bindings")
    assert told(of("bound_queues", cluster, target)) == (("mails",), "found in Redis' bindings")


def test_two_prefixes_and_nobody_to_say_which_is_ours_is_a_gap() -> None:
    cluster = Cluster()
    cluster.sets |= {f"{app}:_kombu.binding.q": frozenset({"q\x06\x16\x06\x16q"}) for app in ("a", "b")}
    setting = of("key_prefix", cluster, a_target(sources=frozenset({"redis"})))
    assert (setting.value, "several key prefixes" in setting.gap) == (None, True)


def test_without_flower_nobody_says_and_that_is_no_gap() -> None:
    setting = of("visibility_timeout", Cluster(), a_target(sources=frozenset({"redis"})))
    assert (told(setting), setting.gap) == (("1h", "Celery's default: no worker reports it"), "")


def test_declared_queues_are_told_by_configuration_and_conf_apart() -> None:
    cluster = with_conf({"queues": ("mails",), "routed_queues": ("reports",)})
    declared = [told(s) for s in settings(cluster, a_target(declared_queues=("extra",))) if s.name == "declared_queues"]
    assert declared == [(("extra",), "configured"), (("mails", "reports"), f"workers {GPU}, {WEB}")]


def test_consumed_queues_are_those_of_this_targets_workers() -> None:
    setting = of("consumed_queues", healthy(), a_target(workers=("celery@web-*",)))
    assert told(setting) == (("indexing",), f"worker {WEB}")


def test_while_flower_is_down_what_workers_would_say_is_a_gap_and_what_is_configured_holds() -> None:
    cluster = healthy()
    cluster.gaps["flower"] = FLOWER_DOWN
    target = a_target(separator="|")
    assert {of(n, cluster, target).gap for n in ("visibility_timeout", "priority_steps", "result_backend", "consumed_queues")} == {
        FLOWER_DOWN
    }
    assert told(of("separator", cluster, target)) == ("|", "configured")
    assert unanswered(target, Watch(cluster, target)._ask(NOW)) == {"flower": FLOWER_DOWN}


def test_while_redis_is_down_its_bindings_are_a_gap() -> None:
    cluster = healthy()
    cluster.gaps["redis"] = REDIS_DOWN
    assert of("bound_queues", cluster).gap == REDIS_DOWN


def test_the_page_shows_a_gap_as_one_and_a_separator_readable() -> None:
    shown = [LiveSetting("separator", "\x06\x16", "Celery's default"), LiveSetting("key_prefix", None, gap=FLOWER_DOWN)]
    text = plain(live_page([LiveTarget("prod", tuple(shown), {"flower": FLOWER_DOWN})], "configuration x"))
    assert '"\\x06\\x16"' in text
    assert f"key_prefix  ?           {FLOWER_DOWN}" in text


def test_the_document_has_null_and_the_reason_for_a_gap() -> None:
    document = live_document([LiveTarget("prod", (LiveSetting("key_prefix", None, gap=FLOWER_DOWN),), {})])
    expected: dict[str, object] = {"name": "key_prefix", "value": None, "origin": None, "others": [], "gap": FLOWER_DOWN}
    assert document["targets"] == [{"target": "prod", "settings": [expected], "gaps": {}}]


def test_a_target_with_a_gap_is_not_whole() -> None:
    assert not LiveTarget("prod", (LiveSetting("key_prefix", None, gap=FLOWER_DOWN),), {}).whole
