"""The benchmark still runs: its parts at tiny sizes. How quick anything is, on whatever machine this is, is nobody's assertion here."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.carried import carried
from bench.cycle import cycle
from bench.events import events
from bench.figures import Figure, Skipped, by_round, table
from bench.footprint import footprint
from bench.http import http
from bench.latency import latency
from bench.memory import memory
from bench.noise import noise
from bench.request import request
from bench.rule_tests import all_at_once_for_promtool, each_alone_for_promtool, rule_tests, scenarios
from bench.sending import sending
from bench.starting import starting
from bench.storm import storm
from tests.processes.command_line import watchdog

ROOT = Path(__file__).parents[2]
PROMTOOL = shutil.which("promtool")


@pytest.fixture(autouse=True)
def _compiled_already(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tests have compiled serves: anew, it takes two seconds of CPU for each of these."""
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", "")


def test_a_cycle_and_its_floor_are_measured_on_real_servers(tmp_path: Path) -> None:
    figure = cycle(tmp_path, size=5, rules=4, rounds=1)
    assert figure.measured > 0
    assert figure.floor
    assert figure.ratio == pytest.approx(figure.measured / figure.floor)


def test_the_memory_of_cycles_is_that_of_their_own_process(tmp_path: Path) -> None:
    [figure] = memory(tmp_path, size=5, rules=4, cycles=2)
    assert 10 < figure.measured < 1000


def test_many_incidents_and_their_floor_end_at_a_receiver_with_the_same_bodies(tmp_path: Path) -> None:
    struck, quiet = storm(tmp_path, incidents=150, rounds=1, cycles=1)
    assert struck.floor
    assert struck.ratio == pytest.approx(struck.measured / struck.floor)
    assert quiet.floor
    assert quiet.measured > 0


def test_a_look_that_workers_make_is_measured_beside_one_of_a_daemon(tmp_path: Path) -> None:
    look, published, taken, whole = carried(tmp_path, targets=2, rounds=1)
    assert isinstance(whole, Figure)
    assert isinstance(look, Figure)
    assert look.floor
    assert whole.measured == pytest.approx(sum(one.measured for one in (look, published, taken) if isinstance(one, Figure)))


def test_a_decision_with_silences_and_routes_is_measured_beside_one_without(tmp_path: Path) -> None:
    [figure] = noise(tmp_path, incidents=50, requests=10, rounds=1)
    assert figure.floor
    assert figure.ratio == pytest.approx(figure.measured / figure.floor)


def test_messages_that_are_sent_and_delivered_are_measured_beside_bare_posts(tmp_path: Path) -> None:
    sent, delivered = sending(tmp_path, messages=20, rounds=1)
    assert sent.floor
    assert sent.ratio == pytest.approx(sent.measured / sent.floor)
    assert delivered.measured > 0


def test_jumps_and_starts_reach_the_webhook(tmp_path: Path) -> None:
    mean, longest, cold = latency(tmp_path, jumps=2, starts=1)
    assert 0 < mean.measured <= longest.measured
    assert cold.measured > 0


def test_a_request_to_flower_is_measured_beside_the_bare_exchange(tmp_path: Path) -> None:
    (figure,) = request(tmp_path, requests=3, rounds=1)
    assert figure.measured > 0
    assert figure.floor
    assert figure.ratio == pytest.approx(figure.measured / figure.floor)


def test_short_commands_are_measured_beside_their_imports(tmp_path: Path) -> None:
    version, once = starting(tmp_path, rounds=1)
    assert version.measured > 0
    assert once.floor is not None
    assert once.floor > 0


def test_rule_tests_are_measured_and_grow(tmp_path: Path) -> None:
    once, twice, *_ = rule_tests(tmp_path, count=4, rounds=1)
    assert isinstance(once, Figure)
    assert isinstance(twice, Figure)
    assert twice.floor == once.measured


def test_what_rule_tests_are_measured_on_is_as_expected(tmp_path: Path) -> None:
    assert watchdog("rules", "test", "--alone", scenarios(tmp_path / "watchdog", 3), cwd=tmp_path).returncode == 0


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool on PATH (Debian: prometheus)")
@pytest.mark.parametrize("write", [each_alone_for_promtool, all_at_once_for_promtool])
def test_promtool_is_measured_on_what_it_finds_right(tmp_path: Path, write: Callable[[Path, int], Path]) -> None:
    assert (
        subprocess.run([str(PROMTOOL), "test", "rules", write(tmp_path / "promtool", 3)], check=False, capture_output=True).returncode == 0
    )


def test_daemons_are_measured_while_nothing_happens(tmp_path: Path) -> None:
    figures = {figure.what: figure.measured for figure in footprint(tmp_path, many=2, most=3, settling_s=0.0, minute_s=1.0)}
    assert len(figures) == 7
    assert all(measured >= 0 for measured in figures.values())
    assert 0 < figures["`watchdog run`, 3 targets every 10 s: longest pause of a target"] < 2


def test_what_is_served_is_measured_beside_a_daemon_that_serves_nothing(tmp_path: Path) -> None:
    cpu, memory_, *requests = http(tmp_path, size=5, rounds=1, round_s=1.0, requests=1)
    assert cpu.floor is not None
    assert memory_.measured > 10
    assert all(request.measured >= 0 for request in requests)


def test_an_unknown_part_is_refused_with_those_there_are() -> None:
    done = subprocess.run([sys.executable, "-m", "bench", "speed"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no part speed; there are cycle" in done.stderr


def test_a_ratio_is_the_median_of_its_rounds() -> None:
    figure = by_round("x", "ms", [(10.0, 5.0), (90.0, 9.0), (6.0, 2.0)], most=2.0)
    assert (figure.measured, figure.floor, figure.ratio, figure.met) == (10.0, 5.0, 3.0, False)


@pytest.mark.parametrize(("measured", "said"), [(1.0, "met"), (2.0, "met"), (2.1, "MISSED")])
def test_the_table_says_what_was_missed(measured: float, said: str) -> None:
    assert table([Figure("memory", measured, "MB", most=2.0)]).endswith(said)


def test_the_table_says_what_was_skipped_and_why() -> None:
    assert table([Skipped("Prometheus", "not installed")]).endswith("skipped: Prometheus: not installed")


def test_listening_is_measured_beside_a_daemon_that_does_not_and_a_heartbeat_beside_celerys_way(tmp_path: Path) -> None:
    daemons, heartbeat, *of_tasks = events(tmp_path, workers=3, rounds=1, round_s=1.5, starting_s=3.0, every="1s", heartbeats=30)
    assert daemons.floor
    assert daemons.measured > 0
    assert heartbeat.floor
    assert heartbeat.ratio == pytest.approx(heartbeat.measured / heartbeat.floor)
    assert all(figure.floor and figure.measured for figure in of_tasks)
    assert len(of_tasks) == 2
