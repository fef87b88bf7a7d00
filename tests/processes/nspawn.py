"""Running something in a Debian tree by systemd-nspawn, and leaving nothing behind: no mount, no control group, no folder.

In: a tree, which stays as it is (what is written goes to memory). Out: a command line that runs there, or boots it.
It shares this machine's network, so that its loopback is ours. systemd-nspawn registers nowhere: no systemd need run here.
"""

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from tests.servers.waiting import until

__all__ = ["MissingError", "nspawn"]

JOIN = 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit; shift; done; shift; exec "$@"'
RUN = ["setpriv", "--pdeathsig", "TERM", "systemd-nspawn", "--quiet", "--register=no", "--keep-unit"]
RUN += ["--volatile=overlay", "--console=pipe"]
"""It ends with us, however we end; and all that is written in it goes to memory."""
NUMBERS = itertools.count(1)


class MissingError(Exception):
    """A Debian cannot be booted here: the sentence says what is missing."""


@contextlib.contextmanager
def nspawn(tree: Path, *options: str) -> Iterator[list[str]]:
    """What to put before a command (or `--boot`) to run it in the tree. Whoever starts it ends it within the block."""
    name = f"watchdog-proof-{os.getpid()}-{next(NUMBERS)}"
    groups = [mount / name for mount in _hierarchies()]
    try:
        for group in groups:
            group.mkdir()
    except OSError as error:
        _remove(groups)
        raise MissingError(f"no control group can be made ({error})") from None
    try:
        yield ["sh", "-c", JOIN, "join", *map(str, groups), "--", *RUN, f"--machine={name}", f"--directory={tree}", *options]
    finally:
        _remove(groups)
        for left in ("propagate", "unix-export"):  # where /run is no tmpfs, systemd-nspawn leaves its own folder
            with contextlib.suppress(OSError):
                (Path("/run/systemd/nspawn") / left / name).rmdir()


def _hierarchies() -> list[Path]:
    """Where systemd keeps its control groups on this machine: version 2, and beside it the named hierarchy of version 1."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [Path(m[1]) for m in mounts if m[2] == "cgroup2" or (m[2] == "cgroup" and "name=systemd" in m[3].split(","))]


def _remove(groups: list[Path]) -> None:
    def gone() -> bool:
        with contextlib.suppress(OSError):
            for group in filter(Path.exists, groups):
                for folder, _, _ in os.walk(group, topdown=False):
                    Path(folder).rmdir()
            return True
        return False

    until(gone, 10, "the control groups to be empty")
