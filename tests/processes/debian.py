"""What a booted Debian needs, made once and kept: its tree of files, and the wheels that watchdog is installed from, without a network.

In: root, the packages of MADE_WITH, and the mirror and release that this machine's own apt uses. Out: two folders under
`$XDG_CACHE_HOME/celery-watchdog` (`~/.cache`), which nobody changes afterwards. `MissingError` says what this machine lacks.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.processes.nspawn import MissingError, nspawn

__all__ = ["debian_tree", "own_wheel", "require_nspawn", "wheels"]

CHECKOUT = Path(__file__).parents[2]
HOME = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "celery-watchdog"
MADE_WITH = {"mmdebstrap": "mmdebstrap", "systemd-nspawn": "systemd-container", "nsenter": "util-linux", "apt-get": "apt"}
"""Program -> Debian's package. mmdebstrap does what debootstrap does in half of its CPU time (45 s against 79 s, measured)."""
HOLDS = ("systemd", "dbus", "python3", "python3-venv")
CERTIFICATES = Path("/etc/ssl/certs")
REACHES_PIP = (
    "SSL_CERT_FILE",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_TRUSTED_HOST",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
)
"""Variables that say how this machine gets at Python's packages."""


def require_nspawn() -> None:
    """MissingError unless this user may start a machine and what starts it is installed."""
    if os.geteuid() != 0:
        raise MissingError("booting a Debian needs root")
    lacking = [package for program, package in MADE_WITH.items() if shutil.which(program) is None]
    if lacking:
        raise MissingError(f"booting a Debian needs Debian's {', '.join(lacking)}: `make machine` installs them")


def debian_tree() -> Path:
    """A minimal tree of the release that this machine runs, with systemd and Python."""
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    made_of = hashlib.sha256(" ".join(HOLDS).encode()).hexdigest()[:8]
    return _made_once(HOME / f"{codename or 'unknown'}-{made_of}", lambda folder: _bootstrap(codename, folder))


def wheels() -> Path:
    """All that watchdog depends on, for the Python of the tree."""
    dependencies: list[str] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["dependencies"]
    tree = debian_tree()
    made_of = hashlib.sha256("\n".join(dependencies).encode()).hexdigest()[:8]
    return _made_once(HOME / f"{tree.name}-wheels-{made_of}", lambda folder: _download(tree, dependencies, folder))


def own_wheel(folder: Path) -> None:
    """This checkout's own wheel, into that folder."""
    _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(CHECKOUT))


def _made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """The folder, made under another name first: what was not finished is made again."""
    HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (HOME / f"{folder.name}.lock").open("w") as lock:  # two test runs may want it at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_name(f"{folder.name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(mode=0o755)
            try:
                make(unfinished)
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
            unfinished.rename(folder)
    return folder


def _bootstrap(codename: str, folder: Path) -> None:
    options = ["--quiet", "--variant=essential", f"--include={','.join(HOLDS)}", "--dpkgopt=force-unsafe-io"]
    # In a mount namespace of its own: whatever happens to it, no mount is left behind.
    _run("unshare", "--mount", "mmdebstrap", *options, codename, str(folder), *_mirrors(codename))
    python = next((folder / "usr/bin").glob("python3.*"), None)
    if python is None or int(python.name.rpartition(".")[2]) < 11:
        raise MissingError(f"{codename} has {python.name if python else 'no Python'}; watchdog needs Python 3.11 or newer")


def _mirrors(codename: str) -> list[str]:
    """Where apt gets the distribution itself from, as lines of a sources.list."""
    wanted = "$(ORIGIN)|$(RELEASE)|deb $(REPO_URI) $(RELEASE) $(COMPONENT)"
    distribution = platform.freedesktop_os_release().get("ID", "").lower()
    listed = [line.split("|") for line in set(_run("apt-get", "indextargets", "--format", wanted, "Created-By: Packages").splitlines())]
    lines = sorted(line for origin, release, line in listed if (origin.lower(), release) == (distribution, codename))
    if not lines:
        raise MissingError(f"apt knows no mirror of {distribution} {codename}: `apt-get update` may help")
    return lines


def _download(tree: Path, dependencies: list[str], folder: Path) -> None:
    """By the tree's own Python: which packages are needed depends on its version, to the last digit."""
    fetch = 'python3 -m venv /tmp/venv && exec /tmp/venv/bin/pip download --quiet --only-binary :all: --dest /wheels "$@"'
    options = [f"--bind={folder}:/wheels", *(f"--setenv={name}={os.environ[name]}" for name in REACHES_PIP if os.environ.get(name))]
    if CERTIFICATES.is_dir():
        options.append(f"--bind-ro={CERTIFICATES}")
    with nspawn(tree, *options) as run:
        _run(*run, "sh", "-c", fetch, "fetch", *dependencies)


def _run(*command: str) -> str:
    """What it prints; MissingError with its last words where it fails."""
    environment = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"}
    with suppress(FileNotFoundError):
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=environment)
        if done.returncode == 0:
            return done.stdout
        raise MissingError(f"`{' '.join(command[:4])} …` ended with {done.returncode}: {(done.stdout + done.stderr)[-600:].strip()}")
    raise MissingError(f"{command[0]} is not on PATH")
