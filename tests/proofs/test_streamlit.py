"""docs/api.md: its lines for Streamlit, run by Streamlit in an environment of its own, against a real daemon and a real cluster."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes.cluster import Cluster
from tests.processes.environments import python_with
from tests.processes.serving import UNREACHABLE, serving
from tests.servers.waiting import until

DOC = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
(LINES,) = re.findall(r"```python\n(.*?)```", DOC, re.DOTALL)
RUN = """
import json, sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_string(sys.stdin.read(), default_timeout=60).run()
shown = {one.label: [one.value, one.help] for one in app.sidebar.metric}
links = [one.proto.url for one in app.sidebar if one.type == "link_button"]
print(json.dumps({"shown": shown, "links": links, "failed": [one.message for one in app.exception]}))
"""


@pytest.fixture(scope="module")
def streamlit() -> Path:
    """A Python that has Streamlit, which takes a minute to install once."""
    try:
        return python_with("streamlit", ["streamlit==1.67.0"])
    except RuntimeError as error:
        pytest.skip(str(error))


def sidebar(streamlit: Path, url: str) -> Any:
    """What the documented lines show, with the address replaced."""
    assert "http://127.0.0.1:5556" in LINES
    lines = LINES.replace("http://127.0.0.1:5556", url)
    done = subprocess.run([streamlit, "-c", RUN], input=lines, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_ten_lines_show_workers_active_tasks_and_a_link(streamlit: Path, own_cluster: Cluster, tmp_path: Path) -> None:
    own_cluster.flood("indexing", 1, task="demo.hang", seconds=300.0)
    target = f'[[target]]\nname = "prod"\nflower = "{own_cluster.flower_url}"\nredis = "{own_cluster.redis_url}"\n'
    with serving(tmp_path, more=target) as (_, url):
        until(lambda: sidebar_cells(url).get("active") == 1, 60, "the task to be seen")
        shown = sidebar(streamlit, url)
    assert shown == {
        "shown": {"Workers online": [str(len(own_cluster.online())), ""], "Active tasks": ["1", ""]},
        "links": [url],
        "failed": [],
    }


def test_what_nobody_can_see_is_a_dash_with_its_reason(streamlit: Path, blind: str) -> None:
    value, why = sidebar(streamlit, blind)["shown"]["Workers online"]
    assert (value, "flower" in why) == ("—", True)


@pytest.fixture
def blind(tmp_path: Path) -> Iterator[str]:
    """A daemon that reaches nothing."""
    with serving(tmp_path, more=f'{UNREACHABLE}flower = "http://127.0.0.1:1"\n') as (_, url):
        yield url


def sidebar_cells(url: str) -> dict[str, Any]:
    """The row that the lines read."""
    import httpx

    rows = httpx.get(f"{url}/api/v1/targets/prod/tables/cluster", trust_env=False).json()["rows"]
    return dict(rows[0]["cells"]) if rows else {}
