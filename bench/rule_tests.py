"""CPU of `watchdog rules test`, beside `promtool test rules` on the same work: each rule has a test in which a queue fills until it fires.

promtool is measured twice: with a test for each rule, as people write them, and with all series in one test, which is its quickest way.
Where none is installed, it is skipped.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from bench.cpu import cpu_s_of_command, interleaved
from bench.daemon import as_installed
from bench.figures import Figure, Skipped, by_round
from bench.starting import watchdog_command

__all__ = ["all_at_once_for_promtool", "each_alone_for_promtool", "rule_tests", "scenarios"]

MOST_MS, MOST_GROWTH = 500.0, 2.5
LIMIT, A_MINUTE = 50, 20
"""Messages above which the first rule is true, and how many come in a minute."""


def rule_tests(folder: Path, *, count: int = 100, rounds: int = 5) -> Iterator[Figure | Skipped]:
    """CPU after imports, how it grows, and promtool's."""
    environment = as_installed(folder)
    written = {number: scenarios(folder / f"watchdog-{number}", number) for number in (1, count, 2 * count)}

    def ms_of(number: int) -> float:
        command = [*watchdog_command(), "rules", "test", "--alone", str(written[number])]
        return cpu_s_of_command(command, folder, environment) * 1000

    ms_of(1)  # the first run compiles
    imports = median(ms_of(1) for _ in range(rounds))
    pairs = interleaved(rounds, lambda: ms_of(2 * count) - imports, lambda: ms_of(count) - imports)
    what = f"`watchdog rules test`, {count} rules, {count} scenarios: CPU after imports"
    yield Figure(what, median(once for _, once in pairs), "ms", most=MOST_MS)
    yield by_round("the same with twice as many of both; floor: that", "ms", pairs, MOST_GROWTH)
    promtool = shutil.which("promtool")
    if promtool is None:
        yield Skipped(f"promtool: {count} rules, {count} tests", "no `promtool` on PATH (Debian: `apt install prometheus`)")
        return
    quickest, usual = (
        [promtool, "test", "rules", str(write(folder / name, count))]
        for name, write in (("at-once", all_at_once_for_promtool), ("alone", each_alone_for_promtool))
    )
    beside = interleaved(rounds, lambda: ms_of(count) - imports, lambda: cpu_s_of_command(quickest, folder, environment) * 1000)
    yield by_round(f"{what}; floor: promtool, all series in one test", "ms", beside, None)
    yield Figure(f"promtool, {count} rules, {count} tests: CPU", cpu_s_of_command(usual, folder, environment) * 1000, "ms")


def _fires_at(number: int) -> int:
    """The minute in which a rule fires: its limit is passed, and then it holds for 5 minutes."""
    return _limit(number) // A_MINUTE + 1 + 5


def _limit(number: int) -> int:
    """The limit of a rule: so that tests take as long, however many there are."""
    return LIMIT + number % 100


def scenarios(folder: Path, count: int) -> Path:
    """For watchdog: a folder of rules, with a scenario for each."""
    rules = [
        f'[[rule]]\nname = "Backlog{n}"\nfrom = "queues"\nwhere = "name = \'q{n}\'"\nwhen = "length > :limit"\n'
        f'params = {{ limit = {_limit(n)} }}\nfor = "5m"\nsummary = "{{{{ name }}}} holds {{{{ length }}}} messages"\n'
        for n in range(count)
    ]
    written = [
        f'[[scenario]]\nname = "queue {n} fills"\nevery = "1m"\n'
        f'[[scenario.rows]]\nqueues = [{{ name = "q{n}", length = "0 + {A_MINUTE}/1m" }}]\n'
        f'[[scenario.expect]]\nat = "{_fires_at(n)}m"\nrule = "Backlog{n}"\nkey = "q{n}"\nseverity = "warning"\n'
        f'text = "q{n} holds {A_MINUTE * _fires_at(n)} messages"\n'
        for n in range(count)
    ]
    (folder / "scenarios").mkdir(parents=True)
    (folder / "rules.toml").write_text("\n".join(rules))
    (folder / "scenarios" / "all.toml").write_text("\n".join(written))
    return folder


def each_alone_for_promtool(folder: Path, count: int) -> Path:
    """For promtool: a test for each rule."""
    tests = [f"- interval: 1m\n  input_series:\n{_series(n, _fires_at(n))}  alert_rule_test:\n{_alert(n)}" for n in range(count)]
    return _promtool_files(folder, count, "".join(tests))


def all_at_once_for_promtool(folder: Path, count: int) -> Path:
    """For promtool: one test with all series."""
    series, alerts = ("".join(map(write, range(count))) for write in (lambda n: _series(n, max(map(_fires_at, range(count)))), _alert))
    return _promtool_files(folder, count, f"- interval: 1m\n  input_series:\n{series}  alert_rule_test:\n{alerts}")


def _promtool_files(folder: Path, count: int, tests: str) -> Path:
    folder.mkdir()
    rule: Callable[[int], str] = lambda n: (  # noqa: E731 - a line of a file
        f'  - alert: Backlog{n}\n    expr: queue_length{{name="q{n}"}} > {_limit(n)}\n    for: 5m\n    labels: {{severity: warning}}\n'
        "    annotations: {summary: '{{ $labels.name }} holds {{ $value }} messages'}\n"
    )
    (folder / "rules.yml").write_text("groups:\n- name: bench\n  rules:\n" + "".join(map(rule, range(count))))
    (folder / "tests.yml").write_text(f"rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n{tests}")
    return folder / "tests.yml"


def _series(number: int, minutes: int) -> str:
    return f"  - series: 'queue_length{{name=\"q{number}\"}}'\n    values: '0+{A_MINUTE}x{minutes}'\n"


def _alert(number: int) -> str:
    at = _fires_at(number)
    return (
        f"  - eval_time: {at}m\n    alertname: Backlog{number}\n    exp_alerts:\n    - exp_labels: {{severity: warning, name: q{number}}}\n"
        f"      exp_annotations: {{summary: 'q{number} holds {A_MINUTE * at} messages'}}\n"
    )
