"""`watchdog rules record` on a real cluster, and `watchdog rules test` on what it wrote: the whole path, from answers to messages."""

import gzip
from pathlib import Path

import pytest

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog

SCENARIO = """[[scenario]]
name    = "As recorded"
answers = "{name}"
quiet   = ["WorkerLost", "QueueNoConsumers", "BrokerUnreachable", "FlowerUnreachable"]
ignore  = ["*"]
"""


def result_of(folder: Path, name: str, text: bytes | None = None) -> tuple[int, str]:
    if text is not None:
        (folder / name).write_bytes(text)
    (folder / "night.toml").write_text(SCENARIO.format(name=name))
    done = watchdog("rules", "test", "night.toml", cwd=folder)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_what_is_recorded_of_a_cluster_is_played_through_tables_and_rules(cluster: Cluster, tmp_path: Path) -> None:
    by_url = ("--flower", cluster.flower_url, "--redis", cluster.redis_url)
    done = watchdog("rules", "record", "night.jsonl.gz", "--for", "1s", "--every", "0.5s", *by_url, cwd=tmp_path)
    assert (done.returncode, done.stdout.split(" looks")[0]) == (0, "3")
    assert result_of(tmp_path, "night.jsonl.gz") == (0, "OK: 1 scenario as expected\nthe rules that come with watchdog\n")
    again = watchdog("rules", "record", "night.jsonl.gz", *by_url, cwd=tmp_path)
    assert (again.returncode, "name a new file" in again.stderr) == (2, True)
    cut = gzip.decompress((tmp_path / "night.jsonl.gz").read_bytes())[:-20]
    code, said = result_of(tmp_path, "cut.jsonl", cut)
    assert (code, "cut.jsonl:4: not JSON" in said) == (2, True)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("none.jsonl", None, "night.toml:1: scenario \"As recorded\": answers: cannot read none.jsonl: No such file"),
        ("half.jsonl.gz", gzip.compress(b"{}", mtime=0)[:-9], "not a whole file of gzip"),
        ("not.jsonl.gz", b"{}", "cannot read not.jsonl.gz"),
        ("latin.jsonl", b"\xe9", "not a whole file of gzip or of UTF-8"),
        ("other.jsonl", b"{}", "other.jsonl:1: expected"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_recording_is_a_fault_with_its_place(name: str, text: bytes | None, said: str, tmp_path: Path) -> None:
    code, found = result_of(tmp_path, name, text)
    assert (code, said in found) == (2, True), found
