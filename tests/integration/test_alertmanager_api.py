"""Alertmanager's API of the page server beside a real Alertmanager with the same alerts: what fires, in which order, for whom.

Left out of the comparison is when an alert was last sent and will be forgotten.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.alertmanager import AMTOOL, PROGRAM, amtool, tool_environment
from tests.servers.alertmanager_beside_ours import Both, Json, both_alertmanagers, shape

pytestmark = pytest.mark.skipif(not (PROGRAM and AMTOOL), reason="no prometheus-alertmanager or amtool on PATH (make peers)")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with both_alertmanagers(tmp_path_factory.mktemp("both")) as one:
        yield one


def without_sending_times(found: Json) -> Json:
    if isinstance(found, list | tuple):
        return [without_sending_times(one) for one in found]
    if isinstance(found, dict):
        return {name: without_sending_times(one) for name, one in found.items() if name not in ("updatedAt", "endsAt")}
    return found


FILTERS = [
    "", "?active=false", "?inhibited=false", "?silenced=false", "?active=maybe", "?active=", "?unprocessed=false", "?bogus=1",
    "?receiver=ops", "?receiver=o.*|x", "?receiver=op", "?receiver=", "?filter=alertname=QueueBacklogHigh",
    '?filter=severity!="warning"', '?filter=name=~"a.*|beta"', "?filter=name!~a.*", '?filter=team=""', '?filter=team!=""',
    '?filter=nothing=""', "?filter=name=~.%2B%26%20", "?filter=target=prod&filter=severity=critical", "?filter= name = alpha ",
    '?filter=job="ä \\"q\\" \\\\ \\n"', '?filter=job="ä \\"q\\" \\\\"', "?filter=name=",
]  # fmt: skip


@pytest.mark.parametrize("query", FILTERS)
@pytest.mark.parametrize("path", ["/alerts", "/alerts/groups"])
def test_alerts_and_groups_are_the_same(both: Both, path: str, query: str) -> None:
    real, ours = both.get(path + query)
    assert without_sending_times(ours) == without_sending_times(real)


def test_all_that_fires_is_compared(both: Both) -> None:
    names = [one["labels"].get("name", one["labels"]["alertname"]) for one in both.get("/alerts")[1][1]]
    assert sorted(names) == ["BrokerUnreachable", "QueueBacklogHigh", "Quiet", "Quiet", "alpha", "alpha", "beta", "g"]


UNKNOWN = "8c8eb1b0-0000-4000-8000-000000000000"


@pytest.mark.parametrize("path", ["/receivers", "/nothing", f"/silence/{UNKNOWN}"])
def test_statuses_of_the_rest_are_the_same(both: Both, path: str) -> None:
    (real, _), (ours, _) = both.get(path)
    assert ours == real


def test_receivers_are_the_same(both: Both) -> None:
    real, ours = both.get("/receivers")
    assert ours == real


def test_the_status_has_what_that_of_alertmanager_has(both: Both) -> None:
    (_, real), (_, ours) = both.get("/status")
    assert {name: sorted(part) if isinstance(part, dict) else type(part) for name, part in ours.items()} == {
        name: sorted(part) if isinstance(part, dict) else type(part) for name, part in real.items()
    }
    assert (ours["cluster"], ours["versionInfo"]["version"]) == (real["cluster"], real["versionInfo"]["version"])


BAD_QUERIES = ["?filter=bad", "?filter=a=~(", '?filter=a="b"c"', "?filter=", "?receiver=(", '?filter={a="b"}', "?filter=a b=c"]


@pytest.mark.parametrize("query", BAD_QUERIES)
@pytest.mark.parametrize("path", ["/alerts", "/alerts/groups"])
def test_a_query_that_is_wrong_is_refused_alike(both: Both, path: str, query: str) -> None:
    real, ours = both.get(path + query)
    assert shape(ours) == shape(real)


BY_AMTOOL = [[], ["--inhibited"], ["alertname=QueueBacklogHigh", "severity=critical"], ["--receiver=pager"], ["name=~a.*"]]


@pytest.mark.parametrize("args", BY_AMTOOL)
def test_amtool_lists_the_same_alerts(both: Both, args: list[str]) -> None:
    real, ours = (both.tool(base, "alert", "query", *args) for base in (both.real, both.ours))
    assert ours == real


def test_amtool_shows_why_an_alert_was_refused(both: Both) -> None:
    done = amtool(both.ours, "alert", "add", "alertname=x", home=both.home)
    assert (done.returncode, "watchdog takes no alerts" in done.stderr) == (1, True)


def test_amtool_reads_the_configuration_and_the_cluster(both: Both) -> None:
    assert "nobody" in both.tool(both.ours, "config", "routes")
    assert "disabled" in both.tool(both.ours, "cluster")


DOC = (Path(__file__).parents[2] / "docs" / "alertmanager-api.md").read_text(encoding="utf-8")
(COMMANDS,) = re.findall(r"```sh\n(.*?)```", DOC, re.DOTALL)


def test_the_commands_of_the_page_do_what_it_says(both: Both) -> None:
    script = COMMANDS.replace("http://127.0.0.1:5556", both.ours)
    done = subprocess.run(["sh", "-eux", "-c", script], env=tool_environment(both.home), capture_output=True, text=True, check=False)
    assert (done.returncode, 'alertname="WorkerLost" name=~"celery@gpu-.*"' in done.stdout) == (0, True), done.stderr
    assert both.tool(both.ours, "silence", "query", "-q") == ""


OF_OTHERS = [
    ("/api/v2/status", 200),  # karma and Grafana, first of all
    ("/api/v2/silences", 200),
    ("/api/v2/alerts/groups", 200),
    ("/alertmanager/api/v2/status", 404),  # Grafana: is it Mimir?
    ("/api/v1/status/buildinfo", 404),
]


@pytest.mark.parametrize(("path", "status"), OF_OTHERS)
def test_what_karma_and_grafana_ask_first_is_answered_alike(both: Both, path: str, status: int) -> None:
    assert [both.client.get(base + path).status_code for base in (both.real, both.ours)] == [status, status]
