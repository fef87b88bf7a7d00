import time
import tomllib

import pytest

from watchdog.core.rules.toml_loading import load_toml


@pytest.mark.parametrize("text", [".".join("a" * 50_000) + " = 1", "[" + ".".join("a" * 50_000) + "]", ".".join(['"a"'] * 50_000) + "=1"])
def test_a_key_of_endless_parts_is_refused_at_once(text: str) -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match="a key of more than 50 parts"):
        load_toml(text)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "text", ["a.b.'c d'.e = 1", 'url = "a.' + "b." * 200 + '"', "x = 1.5\n[a.b]\n", "w-" * 50_000 + " = 1", '"' * 3 + "a" * 50_000]
)
def test_everything_else_is_read_as_ever(text: str) -> None:
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with pytest.raises(tomllib.TOMLDecodeError):
            load_toml(text)
    else:
        assert load_toml(text) == expected
