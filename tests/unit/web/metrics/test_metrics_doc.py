"""docs/metrics.md: its samples are right, and the metrics that it names exist."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.builders.incidents import an_incident
from tests.builders.metrics import looked_at, names
from tests.builders.web import NOW
from watchdog.core.model.rows import Reading
from watchdog.tables import TABLES
from watchdog.web.metrics.incidents import incident_families
from watchdog.web.metrics.naming import names_of
from watchdog.web.metrics.own import own_families
from watchdog.web.metrics.tables import table_families

DOC = (Path(__file__).parents[4] / "docs" / "metrics.md").read_text(encoding="utf-8")
SAMPLES = re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL)
CONFIGS = [sample for sample in SAMPLES if sample.startswith("scrape_configs:")]
RULES = [sample for sample in SAMPLES if sample.startswith("groups:")]
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="no promtool on PATH (Debian: prometheus)")


def checked(folder: Path, what: str, sample: str) -> tuple[int, str]:
    token, path = folder / "token", folder / "sample.yml"
    token.touch()
    path.write_text(sample.replace("/etc/prometheus/watchdog-token", str(token)), encoding="utf-8")
    done = subprocess.run([str(PROMTOOL), "check", what, str(path)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("sample", CONFIGS)
def test_prometheus_takes_a_sample_of_its_configuration(tmp_path: Path, sample: str) -> None:
    code, said = checked(tmp_path, "config", sample)
    assert code == 0, said


@needs_promtool
@pytest.mark.parametrize("sample", RULES)
def test_prometheus_takes_the_rules(tmp_path: Path, sample: str) -> None:
    code, said = checked(tmp_path, "rules", sample)
    assert code == 0, said


def test_there_is_a_sample_of_each() -> None:
    assert (len(CONFIGS), len(RULES)) == (2, 1)


def test_every_metric_that_it_names_is_served(tmp_path: Path) -> None:
    columns = {name.name + ("_total" if name.counter else "") for table in TABLES.values() for name in names_of(table).values()}
    site = looked_at(tmp_path, {}, NOW)
    own = names(own_families(site, site.store.last_looks())) | names(table_families({"prod": {"queues": Reading()}}))
    served = columns | own | names(incident_families([an_incident()]))
    named = set(re.findall(r"\bwatchdog_\w*[a-z0-9]\b(?!…|_…|<|_<)", DOC))
    assert named - served == set()
