import subprocess
import sys

SCRIPT = """
import json, sys
from watchdog.daemon.starting.lazy_imports import without
with without("numpy", "json", "wave"):
    from sqlite_utils import Database
    import json
    try:
        import wave
    except ImportError:
        print("left out")
print("numpy" in sys.modules, Database(memory=True)["t"].insert({"a": 1}).count)
import wave
"""


def test_what_is_left_out_is_not_imported_inside_and_can_be_afterwards() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["left out", "False 1"]
