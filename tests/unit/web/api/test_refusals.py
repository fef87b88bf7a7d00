"""What the API cannot answer, it refuses as JSON, whatever the reason is."""

from pathlib import Path

import pytest

from tests.builders.api import a_store, an_api
from tests.unit.web.test_access import TOKEN, bearer

SILENCES = "/silences"


def test_a_stranger_is_refused(tmp_path: Path) -> None:
    assert an_api(tmp_path, token=TOKEN).refused("GET", "/status")[0] == 401


def test_a_name_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    assert an_api(tmp_path).refused("GET", "/status", headers={"Host": "evil.example"})[0] == 421


def test_a_path_that_is_not_there_leads_to_the_description(tmp_path: Path) -> None:
    assert an_api(tmp_path).refused("GET", "/nothing") == (404, "", "nothing is here; /api/v1/openapi.json lists what there is")


def test_a_method_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    answer = an_api(tmp_path).ask("PUT", "/silences", {})
    assert (answer.status_code, {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))) == (405, True)


def test_a_body_that_is_too_long_is_refused(tmp_path: Path) -> None:
    body = {"matchers": ["x" * 70_000], "for": "2h"}
    assert an_api(tmp_path).refused("POST", SILENCES, body) == (413, "", "expected a body of at most 65536 bytes, found a longer one")


def test_a_body_that_is_no_json_is_refused_by_what_it_says_it_is(tmp_path: Path) -> None:
    refused = an_api(tmp_path, token=TOKEN).refused("POST", SILENCES, headers=bearer(TOKEN), data="a=b", content_type="text/plain")
    assert refused == (415, "header Content-Type", "expected application/json, found text/plain")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 60_000])
def test_a_body_that_is_none_is_refused(tmp_path: Path, body: bytes) -> None:
    assert an_api(tmp_path).refused("POST", SILENCES, data=body, content_type="application/json")[:2] == (400, "body")


def test_a_crash_is_one_sentence_without_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = a_store(tmp_path)
    monkeypatch.setattr(store, "silences", lambda: 1 / 0)
    assert an_api(tmp_path, store).refused("GET", SILENCES) == (500, "", "this could not be answered; its log says why.")


def test_a_database_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    store.close()
    (tmp_path / "watchdog.db").write_bytes(b"no database at all, but long enough to be looked at " * 100)
    assert an_api(tmp_path, store).refused("GET", SILENCES)[0] == 503


def test_a_hostile_name_is_written_with_its_escapes(tmp_path: Path) -> None:
    assert "\x1b" not in an_api(tmp_path).ask("GET", "/status?target=%1b[31m").text
