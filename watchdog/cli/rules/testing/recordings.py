"""Reads and writes the files of recorded answers: text, or gzip where the name ends in `.gz`.

In: scenarios that name such files. Out: the recordings, and a fault with file and line for each that is none.
"""

import gzip
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TextIO

from watchdog.core.rules.faults import Fault
from watchdog.core.scenarios.recorded.recording import Recording, RecordingError, read_recording
from watchdog.core.scenarios.scenario import Scenario

__all__ = ["opened_to_write", "place_of", "recordings_of"]

MOST_BYTES = 200_000_000
"""Unpacked. More is no recording for a test."""


def place_of(scenario: Scenario) -> str:
    """The file that a scenario names, beside its own."""
    return str(Path(scenario.file).parent / scenario.answers)


def opened_to_write(file: Path) -> TextIO:
    """A new file. OSError if there is one, or it cannot be made."""
    return gzip.open(file, "xt", encoding="utf-8") if file.suffix == ".gz" else file.open("x", encoding="utf-8")


def recordings_of(scenarios: Iterable[Scenario]) -> tuple[Mapping[str, Recording], tuple[Fault, ...]]:
    """All recordings by their place, each read once, and what is wrong with the others."""
    found: dict[str, Recording] = {}
    faults: list[Fault] = []
    for scenario in scenarios:
        place = place_of(scenario)
        if not scenario.answers or place in found:
            continue
        try:
            found[place] = read_recording(_text(Path(place)))
        except RecordingError as error:
            faults.append(Fault(place, error.line, None, error.what))
        except (OSError, EOFError, zlib.error, UnicodeDecodeError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "not a whole file of gzip or of UTF-8 text"
            what = f"answers: cannot read {place}: {why}; `watchdog rules record` writes one"
            faults.append(Fault(scenario.file, scenario.line, scenario.name, what, kind="scenario"))
    return found, tuple(faults)


def _text(file: Path) -> str:
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as opened:
        read = opened.read(MOST_BYTES + 1)
    if len(read) > MOST_BYTES:
        raise RecordingError(0, f"more than {MOST_BYTES // 1_000_000} MB; record a shorter time")
    return read.decode("utf-8")
