"""What was given and is empty is a fault, wherever it was given: never "not configured", and never "nothing to look at"."""

from pathlib import Path

import pytest

from tests.unit.config.test_load import ONE_TARGET, Folder
from watchdog.config.environment.interpolation import interpolate
from watchdog.config.load import ENVIRONMENT, ConfigError


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize("value", ["", " ", "\t\n"])
@pytest.mark.parametrize("name", [*ENVIRONMENT, "WATCHDOG_CONFIG"])
def test_a_variable_without_a_value_is_a_fault_that_names_it(folder: Folder, name: str, value: str) -> None:
    folder.write(ONE_TARGET)
    assert folder.faults({name: value}) == (
        f"${name}: set, but empty: is it a secret that was not passed on? Give it a value, or unset it",
    )


def test_a_source_without_an_address_is_the_only_fault_where_there_is_no_file(folder: Folder) -> None:
    assert [fault.partition(":")[0] for fault in folder.faults({"WATCHDOG_REDIS": ""})] == ["$WATCHDOG_REDIS"]


def test_an_empty_variable_that_a_flag_stands_in_for_does_no_harm(folder: Folder) -> None:
    folder.write(ONE_TARGET)
    assert folder.load(environ={"WATCHDOG_INTERVAL": ""}, flags={"interval": "3s"}).settings.interval == 3.0


@pytest.mark.parametrize("key", ["flower", "redis", "interval", "database"])
def test_an_option_without_a_value_is_a_fault_that_names_it(folder: Folder, key: str) -> None:
    folder.write(ONE_TARGET)
    with pytest.raises(ConfigError) as raised:
        folder.load(flags={key: ""})
    assert raised.value.faults == (
        f"--{key}: given, but empty: is the variable behind it not set? Give it a value, or leave the option out",
    )


def test_a_configuration_without_a_name_is_a_fault(folder: Folder) -> None:
    folder.write(ONE_TARGET)
    with pytest.raises(ConfigError, match=r"^--config: expected a file, found the working directory"):
        folder.load(config=".")  # what click makes of --config ""


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (ONE_TARGET + 'redis = ""', 'target "prod": redis'),
        (ONE_TARGET + 'redis = "  "', 'target "prod": redis'),
        (ONE_TARGET + 'redis = {url = ""}', 'target "prod": redis.url'),
        (ONE_TARGET + 'results = ""', 'target "prod": results'),
        (ONE_TARGET + 'workers = [""]', 'target "prod": workers[1]'),
        (ONE_TARGET + 'queues = ["a", ""]', 'target "prod": queues[2]'),
        ('[[target]]\nname = "a"\nflower = {url = "http://f", password = ""}', 'target "a": flower.password'),
        ('[[target]]\nname = "a"\nflower = {url = "http://f", headers = {Authorization = ""}}', 'target "a": flower.headers.Authorization'),
        (ONE_TARGET + '[[receiver]]\nname = "a"\ntype = "webhook"\nurl = ""', 'receiver "a": url'),
        ('heartbeat = ""\n' + ONE_TARGET, "heartbeat"),
        ('rules = [""]\n' + ONE_TARGET, "rules[1]"),
        ('include = [""]\n' + ONE_TARGET, "include[1]"),
        ('database = ""\n' + ONE_TARGET, "database"),
    ],
)
def test_an_empty_text_in_the_file_is_one_fault_at_its_place(folder: Folder, text: str, path: str) -> None:
    folder.write(text)
    assert [fault.partition(": ")[2] for fault in folder.faults()] == [f"{path}: empty; give it a value, or leave it out"]


@pytest.mark.parametrize(
    "text", ['redis = {url = "redis://r", key_prefix = ""}', '[[override]]\nrule = "X"\nrunbook = ""\nlabels = {team = ""}']
)
def test_an_empty_text_that_means_something_is_none(folder: Folder, text: str) -> None:
    folder.write(ONE_TARGET + text)
    assert folder.load().settings.target[0].name == "prod"


@pytest.mark.parametrize("text", ["${A}", "redis://:${A}@h", "Bearer ${A}", "${A}${B}"])
@pytest.mark.parametrize("value", ["", "  "])
def test_a_reference_to_an_empty_variable_is_a_fault_that_names_it(text: str, value: str) -> None:
    ((path, said),) = interpolate({"key": text}, {"A": value, "B": "x"}, Path()).faults
    assert (path, said.startswith("${A}: the variable ")) == (("key",), True)


@pytest.mark.parametrize(("content", "holds"), [("", "is empty"), ("\n", "is empty"), (" \n\n", "holds nothing but spaces or line ends")])
@pytest.mark.parametrize("kind", ["file", "credential"])
def test_a_reference_to_an_empty_file_is_a_fault(tmp_path: Path, kind: str, content: str, holds: str) -> None:
    (tmp_path / "secret").write_text(content)
    ((_, said),) = interpolate({"key": f"${{{kind}:secret}}"}, {"CREDENTIALS_DIRECTORY": str(tmp_path)}, tmp_path).faults
    assert said.startswith(f"${{{kind}:secret}}: the {kind} {holds}")
