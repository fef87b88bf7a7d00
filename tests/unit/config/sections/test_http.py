"""`[http]`: what a file may say, and the sentence for each thing that it may not."""

from pathlib import Path

import pytest

from tests.unit.config.test_load import ONE_TARGET, Folder
from watchdog.config.sections.http import HttpSettings

HERE = 'listen = "127.0.0.1:5556"\n'
HASH = "scrypt:32768:8:1$salt$" + "0" * 128


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def read(folder: Folder, text: str) -> HttpSettings:
    folder.write(f"[http]\n{text}\n{ONE_TARGET}")
    found = folder.load().settings.http
    assert found is not None
    return found


def faults(folder: Folder, text: str) -> str:
    folder.write(f"[http]\n{text}\n{ONE_TARGET}")
    return "\n".join(folder.faults())


@pytest.mark.parametrize(
    ("listen", "address"),
    [("127.0.0.1:5556", ("127.0.0.1", 5556)), ("[::1]:80", ("::1", 80)), ("localhost:0", ("localhost", 0))],
)
def test_an_address_of_this_machine_needs_no_authentication(folder: Folder, listen: str, address: tuple[str, int]) -> None:
    assert read(folder, f'listen = "{listen}"').address == address


@pytest.mark.parametrize(
    "guard",
    [
        'token = "0123456789abcdef"',
        f'users = {{ ada = "{HASH}" }}',
        'user_header = "X-Forwarded-User"\ntrusted_proxies = ["10.0.0.0/8"]',
    ],
)
def test_an_address_that_others_reach_needs_one_kind_of_authentication(folder: Folder, guard: str) -> None:
    assert read(folder, f'listen = "0.0.0.0:80"\n{guard}').authenticates


def test_a_prefix_ends_without_a_slash(folder: Folder) -> None:
    assert read(folder, HERE + 'prefix = "/tools/watchdog/"').prefix == "/tools/watchdog"


FAULTS = {
    "open to others": ('listen = "0.0.0.0:5556"', "http: expected token, users or user_header, because others can reach this address"),
    "open to others over IPv6": ('listen = "[::]:5556"', "expected token, users or user_header"),
    "no port": ('listen = "127.0.0.1"', "http.listen: expected an address and a port"),
    "no address": ('listen = ":5556"', "http.listen: expected an address and a port"),
    "a URL": ('listen = "http://127.0.0.1:5556"', "http.listen: expected an address and a port"),
    "a port too high": ('listen = "127.0.0.1:70000"', "http.listen: expected an address and a port"),
    "a name": ('listen = "watchdog.example.com:5556"', "http.listen: expected an IP address of this machine"),
    "a short token": (HERE + 'token = "secret"', "http.token: expected at least 16 printable ASCII characters"),
    "a password instead of its hash": (HERE + 'users = { ada = "correct horse" }', "http.users: expected the hash of a password"),
    "a header that anybody may send": (HERE + 'user_header = "X-User"', "http: expected user_header and trusted_proxies together"),
    "proxies without a header": (HERE + 'trusted_proxies = ["127.0.0.1"]', "http: expected user_header and trusted_proxies together"),
    "a proxy by name": (HERE + 'user_header = "X"\ntrusted_proxies = ["nginx"]', "expected addresses or networks"),
    "a prefix without a slash": (HERE + 'prefix = "watchdog"', 'http.prefix: expected a path that begins with "/"'),
    "a role that there is not": (
        HERE + f'users = {{ ada = "{HASH}" }}\nroles = {{ ada = "admin" }}',
        "http.roles.ada: expected one of viewer, operator, found another text",
    ),
    "a role of nobody": (
        HERE + f'users = {{ ada = "{HASH}" }}\nroles = {{ adda = "operator" }}',
        'watchdog.toml:4: http.roles: expected names that are in users, found "adda"; did you mean "ada"?',
    ),
    "a role where nobody is asked": (HERE + 'roles = { ada = "operator" }', "http.roles: expected users or user_header beside roles"),
    "a role beside a token": (
        HERE + 'token = "0123456789abcdef"\nroles = { ada = "operator" }',
        "http.roles: expected users or user_header beside roles, because a role counts only for a name that is proved",
    ),
    "a misspelt key": (HERE + 'tokens = "0123456789abcdef"', 'did you mean "token"'),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_says_what_was_expected(folder: Folder, case: str) -> None:
    text, said = FAULTS[case]
    assert said in faults(folder, text)


@pytest.mark.parametrize("text", [HERE + 'token = "hunter2"', HERE + 'users = { ada = "hunter2" }'])
def test_no_fault_repeats_a_secret(folder: Folder, text: str) -> None:
    assert "hunter2" not in faults(folder, text)


def test_a_proxy_says_names_that_no_file_knows(folder: Folder) -> None:
    proxy = 'user_header = "X-User"\ntrusted_proxies = ["127.0.0.1"]\nroles = { ada = "operator" }'
    assert read(folder, HERE + proxy).roles == {"ada": "operator"}
