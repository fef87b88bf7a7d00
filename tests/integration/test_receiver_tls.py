"""Receivers behind TLS that ask who we are: a certificate is shown, missing, unknown, renewed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.servers.certificates import Certificates, make_certificates
from tests.servers.receiver import RecordingReceiver
from watchdog.core.incidents.outcome import Delivered, Later, Outcome
from watchdog.receivers.webhook.settings import WebhookSettings


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def strict(certificates: Certificates) -> Iterator[RecordingReceiver]:
    """It lets in only who has a certificate of its authority."""
    with RecordingReceiver(context=certificates.server_context(wants_client=True)) as server:
        yield server


def settings(server: RecordingReceiver, **files: Path) -> WebhookSettings:
    given: dict[str, Any] = {"type": "webhook", "name": "ops", "url": server.url, "timeout": "10s", **files}
    return WebhookSettings.model_validate(given)


def posted(server: RecordingReceiver, **files: Path) -> Outcome:
    attempt = settings(server, **files).attempt()
    try:
        return attempt.post(b"{}", {}, 0.0)
    finally:
        attempt.close()


def test_a_client_certificate_is_shown_where_one_is_wanted(strict: RecordingReceiver, certificates: Certificates) -> None:
    outcome = posted(strict, ca_file=certificates.ca, cert_file=certificates.client, key_file=certificates.client_key)
    assert isinstance(outcome, Delivered)


def test_one_that_is_wanted_and_not_there_names_the_settings(strict: RecordingReceiver, certificates: Certificates) -> None:
    outcome = posted(strict, ca_file=certificates.ca)
    assert isinstance(outcome, Later)
    assert "requires a client certificate; set `cert_file` and `key_file`" in outcome.reason


def test_one_of_another_authority_is_told_apart(strict: RecordingReceiver, certificates: Certificates, tmp_path: Path) -> None:
    other = make_certificates(tmp_path)
    outcome = posted(strict, ca_file=certificates.ca, cert_file=other.client, key_file=other.client_key)
    assert isinstance(outcome, Later)
    assert f"does not accept the client certificate {other.client}" in outcome.reason


def test_a_renewed_one_is_shown_at_the_next_attempt(strict: RecordingReceiver, certificates: Certificates, tmp_path: Path) -> None:
    mine = make_certificates(tmp_path)
    attempt = settings(strict, ca_file=certificates.ca, cert_file=mine.client, key_file=mine.client_key).attempt()
    assert isinstance(attempt.post(b"{}", {}, 0.0), Later)
    mine.client.write_bytes(certificates.client.read_bytes())
    mine.client_key.write_bytes(certificates.client_key.read_bytes())
    assert isinstance(attempt.post(b"{}", {}, 0.0), Delivered)
    attempt.close()


def test_a_key_that_is_not_the_certificates_is_named(strict: RecordingReceiver, certificates: Certificates) -> None:
    outcome = posted(strict, ca_file=certificates.ca, cert_file=certificates.client, key_file=certificates.key)
    assert isinstance(outcome, Later)
    assert f"{certificates.key} (`key_file`)" in outcome.reason


def test_a_key_alone_is_a_fault(strict: RecordingReceiver, certificates: Certificates) -> None:
    with pytest.raises(ValidationError, match="expected `cert_file` beside it"):
        settings(strict, key_file=certificates.client_key)
