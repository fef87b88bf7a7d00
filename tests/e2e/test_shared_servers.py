"""Two targets on one real Redis and one Flower: what happens to these is one message that names both."""

import json
import signal
from pathlib import Path

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import running, told
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until

TARGET = '[[target]]\nname = "{name}"\nflower = "{flower}"\nredis = "{redis}"\nworkers = ["celery@{workers}-*"]\n'
OVERRIDES = """[[override]]
rule = "*"
keep_firing_for = "8s"
[[override]]
rule = "BrokerUnreachable"
for = "4s"
[[override]]
rule = "FlowerUnreachable"
for = "8s"
"""


def configured(folder: Path, cluster: Cluster, receiver: RecordingReceiver, *targets: str) -> None:
    """Each of these targets names the same servers, one by another name of the host and another database."""
    spelt = {"shop": cluster.redis_url, "train": cluster.redis_url.replace("/0", "/1")}
    lines = ['interval = "1s"\ndatabase = "watchdog.db"\n']
    lines += [
        TARGET.format(name=name, flower=cluster.flower_url, redis=spelt[name], workers={"shop": "web", "train": "gpu"}[name])
        for name in targets
    ]
    lines += [f'[[receiver]]\nname = "ops"\ntype = "webhook"\nurl = "{receiver.url}"\n', OVERRIDES]
    (folder / "watchdog.toml").write_text("".join(lines))


def said(receiver: RecordingReceiver) -> list[tuple[str, str]]:
    return [(rule, event) for _, rule, event in told(receiver)]


def named(receiver: RecordingReceiver) -> list[set[str]]:
    """The targets that each message names."""
    bodies = {request.headers["webhook-id"]: json.loads(request.body) for request in receiver.requests}
    return [set(incident["targets"]) for body in bodies.values() for incident in body["data"]["incidents"]]


def test_a_redis_that_two_targets_share_is_one_message_and_one_when_it_is_back(
    own_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    configured(tmp_path, own_cluster, receiver, "shop", "train")
    with running(tmp_path) as daemon:
        daemon.wait_for("watchdog_started")
        own_cluster.stop_redis()
        until(lambda: said(receiver) == [("BrokerUnreachable", "first")], 60, "the broker, once")
        until(lambda: len(broken(tmp_path)) == 2, 30, "the other target's incident")
        first, second = sorted(broken(tmp_path), key=lambda one: one["held_back_by"] is not None)
        assert second["held_back_by"] == {"incident": first["id"], "rule": "BrokerUnreachable", "target": first["target"]}
        assert f"BrokerUnreachable of target {first['target']}, sent as" in watchdog("incidents", cwd=tmp_path).stdout

        own_cluster.start_redis()
        until(lambda: ("BrokerUnreachable", "resolved") in said(receiver), 60, "its end")
        until(lambda: broken(tmp_path) == [], 30, "both ends")
        assert daemon.end() == 0
    assert said(receiver) == [("BrokerUnreachable", "first"), ("BrokerUnreachable", "resolved")]
    both, over = named(receiver)
    assert both == {"shop", "train"}
    assert first["target"] in over  # the other one, too, if it has seen the end by then


def test_if_the_target_that_was_told_is_removed_the_other_one_is_told(
    own_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    configured(tmp_path, own_cluster, receiver, "shop", "train")
    with running(tmp_path) as daemon:
        daemon.wait_for("watchdog_started")
        own_cluster.stop_redis()
        until(lambda: len([one for one in broken(tmp_path) if one["state"] == "firing"]) == 2, 60, "both")
        (gone,) = [one["target"] for one in broken(tmp_path) if one["held_back_by"] is None]
        (stays,) = {"shop", "train"} - {gone}
        configured(tmp_path, own_cluster, receiver, stays)
        daemon.send(signal.SIGHUP)
        until(lambda: len(said(receiver)) == 3, 60, "an end, and a beginning")
        assert daemon.end() == 0
    assert sorted(said(receiver)[1:]) == [("BrokerUnreachable", "first"), ("BrokerUnreachable", "resolved")]
    assert named(receiver)[-1] == {stays}


def broken(folder: Path) -> list[dict[str, object]]:
    listed = json.loads(watchdog("incidents", "--format", "json", cwd=folder).stdout)["incidents"]
    return [one for one in listed if one["rule"] == "BrokerUnreachable"]
