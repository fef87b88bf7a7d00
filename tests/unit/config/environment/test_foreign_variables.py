import pytest

from watchdog.config.environment.foreign_variables import is_foreign
from watchdog.config.load import ENVIRONMENT

LINKS = {
    "SERVICE_HOST": "10.0.0.1",
    "SERVICE_PORT": "6379",
    "SERVICE_PORT_METRICS": "9121",
    "PORT": "tcp://10.0.0.1:6379",
    "PORT_6379_TCP": "tcp://10.0.0.1:6379",
    "PORT_6379_TCP_PROTO": "tcp",
    "PORT_6379_TCP_PORT": "6379",
    "PORT_6379_TCP_ADDR": "10.0.0.1",
    "PORT_53_UDP": "udp://[fd00::1]:53",
}
"""What Kubernetes sets for a Service, behind its name in capitals."""


@pytest.mark.parametrize("service", ["WATCHDOG", "WATCHDOG_REDIS", "WATCHDOG_FLOWER", "WATCHDOG_REDIS_HA_ANNOUNCE_0", "WATCHDOG_2"])
@pytest.mark.parametrize(("suffix", "value"), LINKS.items())
def test_a_service_link_is_no_variable_of_ours(service: str, suffix: str, value: str) -> None:
    assert is_foreign(f"{service}_{suffix}", value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WATCHDOG_REDIS_PORT", "6379"),
        ("WATCHDOG_REDIS_HOST", "10.0.0.1"),
        ("WATCHDOG_REDIS_URL", "redis://10.0.0.1:6379"),
        ("WATCHDOG_REDIS_PORT", ""),
        ("WATCHDOG_INTERVALL", "3s"),
        ("WATCHDOG_REDIS_PORTS", "tcp://10.0.0.1:6379"),
        ("WATCHDOG_REDIS_SERVICE_HOST", "redis.example.com:6379 "),
    ],
)
def test_what_only_looks_like_a_link_is_left_to_be_a_fault(name: str, value: str) -> None:
    assert not is_foreign(name, value)


@pytest.mark.parametrize("name", [*ENVIRONMENT, "WATCHDOG_CONFIG"])
def test_no_variable_of_ours_is_taken_for_a_link(name: str) -> None:
    assert not any(is_foreign(name, value) for value in LINKS.values())
