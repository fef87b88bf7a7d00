"""A picture in the thread of a bot's message, by Slack's three requests: ask for an address, put the file there, share it.

In: a picture, a channel and the message's `ts`. Out: nothing, or why it is not there, in words: the message itself has arrived
(docs.slack.dev/reference/methods: files.getUploadURLExternal, files.completeUploadExternal).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from pydantic import SecretStr

from watchdog.core.incidents.outcome import Delivered, Outcome
from watchdog.core.text.sanitize import one_line
from watchdog.receivers.http.attempt import HttpAttempt
from watchdog.receivers.http.json_answer import json_object
from watchdog.receivers.http.outcome import HttpAnswer, outcome_of
from watchdog.receivers.http.receiver import json_bytes
from watchdog.receivers.pictures.picture import FILE_NAME, Picture
from watchdog.receivers.slack.settings import SlackSettings

__all__ = ["REQUESTS", "Upload"]

REQUESTS = 3
_MEND: Mapping[str, str] = {
    "missing_scope": "give the app the scope files:write (OAuth & Permissions), and install it again",
    "file_uploads_disabled": "an admin of the workspace has switched uploads off; set chart = false",
    "file_type_not_allowed": "an admin of the workspace does not allow PNG files; set chart = false",
}


class Upload:
    """Uploads pictures for one bot."""

    def __init__(self, settings: SlackSettings) -> None:
        self._settings, self._token = settings, settings.token.get_secret_value() if settings.token else ""
        base = settings.url.get_secret_value().rstrip("/")
        self._scheme = urlsplit(base).scheme
        self._ask, self._share = self._attempt(f"{base}/files.getUploadURLExternal"), self._attempt(f"{base}/files.completeUploadExternal")

    def _attempt(self, url: str) -> HttpAttempt:
        return self._settings.model_copy(update={"url": SecretStr(url)}).attempt(secrets=[self._token])

    def share(self, picture: Picture, channel: str, thread: str, now: float) -> str:
        """Put a picture into a thread. Returns why it is not there; empty if it is."""
        asked = {"filename": FILE_NAME, "length": len(picture.png), "alt_txt": picture.words}
        said, fault = self._post(self._ask, urlencode(asked).encode(), "application/x-www-form-urlencoded", now)
        url, number = said.get("upload_url"), said.get("file_id")
        if fault or not isinstance(url, str) or not isinstance(number, str) or urlsplit(url).scheme not in ("https", self._scheme):
            return fault or "Slack gave no address for the picture"
        put = self._attempt(url)
        try:
            outcome = put.post(picture.png, {"content-type": "image/png"}, now)
        finally:
            put.close()
        if not isinstance(outcome, Delivered):
            return outcome.reason
        shared = {"files": [{"id": number, "title": picture.title}], "channel_id": channel, "thread_ts": thread}
        return self._post(self._share, json_bytes(shared), "application/json; charset=utf-8", now)[1]

    def _post(self, method: HttpAttempt, body: bytes, kind: str, now: float) -> tuple[Mapping[str, Any], str]:
        """What Slack answers, and why it does not do what it was asked for; empty if it does."""
        answers = list[HttpAnswer]()

        def understood(answer: HttpAnswer, now: float) -> Outcome:
            answers.append(answer)
            return outcome_of(answer, now)

        outcome = method.post(body, {"content-type": kind, "authorization": f"Bearer {self._token}"}, now, understood)
        if not isinstance(outcome, Delivered):
            return {}, outcome.reason
        said = json_object(answers[-1].text)
        if said.get("ok") is True:
            return said, ""
        error = one_line(str(json_object(answers[-1].unsecret).get("error", answers[-1].said)))
        return {}, f"{answers[-1].answered}: {error}: {_MEND.get(error, 'Slack did not take the picture')}"

    def close(self) -> None:
        """Close the connections."""
        self._ask.close()
        self._share.close()
