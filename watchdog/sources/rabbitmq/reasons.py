"""Reasons why RabbitMQ's answer cannot be used, one sentence per cause: what was requested, what was found, what to do.

In: a status and the start of its body. Out: a sentence without secrets. Where there was no answer at all: `net/http_silence.py`.
"""

from watchdog.net.http_silence import Asked

__all__ = ["refusal"]

NO_MANAGEMENT = b"Not management user"
NO_MONITORING = b"Not monitor user"
NO_VHOST = b"not authorised to access virtual host"
OWN_404 = b"Object Not Found"


def refusal(status: int, body: bytes, asked: Asked, vhost: str, user: str) -> str:
    """The reason for an HTTP answer other than 200. `vhost`: the one that was asked for, empty if none was."""
    return f"rabbitmq: {_why(status, body, asked, vhost, user)}"


def _why(status: int, body: bytes, asked: Asked, vhost: str, user: str) -> str:
    if status == 401:
        return _unauthorised(body, asked, vhost, user)
    if status == 404 and OWN_404 in body and vhost:
        return f'expected the virtual host "{vhost}" at {asked.base}, found none of that name: set `vhost` of rabbitmq'
    if 300 <= status < 400:
        return f"{status} (redirect) from {asked.url}: redirects are not followed; expected the address of RabbitMQ's management itself"
    sentences = {
        403: f"403 (forbidden) from {asked.url}: something in front of RabbitMQ does not let this user in",
        404: (
            f"404 (not found) from {asked.url}: expected RabbitMQ's management API; is its plugin on "
            "(`rabbitmq-plugins enable rabbitmq_management`), and is its path_prefix part of `url` of rabbitmq?"
        ),
        405: f"405 (not allowed) from {asked.url}: expected RabbitMQ's management API; is it the port of another server?",
        503: f"503 (unavailable) from {asked.url}: RabbitMQ is starting, or too busy to count; see its log",
    }
    if status in sentences:
        return sentences[status]
    if status >= 500:
        return f"{status} (server error) from {asked.url}: RabbitMQ, or a proxy in front of it, failed; see its log"
    return f"expected 200 from {asked.url}, found {status}"


def _unauthorised(body: bytes, asked: Asked, vhost: str, user: str) -> str:
    """The reason for a 401: RabbitMQ answers so where a right is missing, too."""
    if NO_MANAGEMENT in body:
        return f"401 from {asked.url}: the user {user} has no tag for the management: `rabbitmqctl set_user_tags {user} monitoring`"
    if NO_MONITORING in body:
        return (
            f"401 from {asked.url}: expected the tag monitoring on the user {user}, found a lesser one: "
            f"`rabbitmqctl set_user_tags {user} monitoring`; until then its memory, alarms and nodes are unknown"
        )
    if NO_VHOST in body and vhost:
        return (
            f'401 from {asked.url}: the user {user} has no rights on the virtual host "{vhost}": '
            f"`rabbitmqctl set_permissions -p {vhost} {user} '^$' '^$' '^$'` lets it look and change nothing"
        )
    if asked.has_credentials:
        local = "; the user guest is let in from RabbitMQ's own host alone" if user == "guest" else ""
        return f"401 from {asked.url}: it does not accept the configured `username` and `password` of rabbitmq{local}"
    return f"401 from {asked.url}: it requires credentials; set `username` and `password` of rabbitmq"
