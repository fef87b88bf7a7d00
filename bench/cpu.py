"""CPU time and memory as the operating system accounts for them: of a part of this process, of a child, of a process that runs."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import process_time

__all__ = ["cpu_ms_of", "cpu_s_of_command", "cpu_s_of_pid", "interleaved", "rss_mb_of_pid"]


def cpu_ms_of(work: Callable[[], object]) -> float:
    """CPU (ms) that this process spends on it, in all threads."""
    began = process_time()
    work()
    return (process_time() - began) * 1000


def cpu_s_of_command(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> float:
    """CPU (seconds) of a whole process, its exit code whatever it is."""
    child = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, used = os.wait4(child.pid, 0)
    child.returncode = 0  # it was reaped here; Popen would wait for it
    return used.ru_utime + used.ru_stime


def cpu_s_of_pid(pid: int) -> float:
    """CPU (seconds) that a process has used so far, in all its threads (Linux)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def rss_mb_of_pid(pid: int) -> float:
    """Its resident memory (MB; Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1000


def interleaved(rounds: int, one: Callable[[], float], other: Callable[[], float]) -> list[tuple[float, float]]:
    """Both, one after the other, so many times: what slows the machine down slows both."""
    return [(one(), other()) for _ in range(rounds)]
