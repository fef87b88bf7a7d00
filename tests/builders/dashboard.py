"""The Grafana dashboard of docs/grafana, as tests read it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["DASHBOARD", "drawn", "expressions"]

DASHBOARD: dict[str, Any] = json.loads((Path(__file__).parents[2] / "docs" / "grafana" / "watchdog.json").read_text(encoding="utf-8"))


def drawn() -> Iterator[dict[str, Any]]:
    """Every panel that draws something."""
    yield from (panel for panel in DASHBOARD["panels"] if panel["type"] != "row")


def expressions() -> list[str]:
    """Every expression that it sends to Prometheus, each target chosen."""
    found = [target["expr"] for panel in drawn() for target in panel["targets"]]
    return [expression.replace("$target", ".+") for expression in found]
