"""Names that nobody gives by accident, and JSON made of them: what a proof of harmlessness is fed with."""

import unicodedata
from typing import Any

from hypothesis import strategies as st

__all__ = ["NAMES", "documents", "painting", "texts"]

NAMES = {
    "a terminal's escapes": "\x1b[2J\x1b]0;owned\x07\x1b]8;;http://x\x1b\\",
    "escapes in one character": "\x9b31m\x90q",
    "text direction": "a\u202eb\u2066c\u200fd\u061ce",
    "what nobody sees": "l\u200bm\ufeffn\xad\U000e0041",
    "other ends of lines": "u\u2028l\u2029v\x85w",
    "ends of lines": "a\r\nlevel=error event=forged\nb",
    "NUL": "\x00nul",
    "a mention": "<!channel> <@U024BE7LH> <https://x|y> *b* _i_ ~s~",
    "a page": "<script>alert(1)</script>&amp;",
    "a workflow command": "::error::pwned\n::error::again",
    "an escaped workflow command": "%0A::error::y%0D##[error]z",
    "perfdata": "x|y=1;;\nz",
    "the end of CDATA": "]]><failure/>",
    "rich's markup": "[red]r[/red] [link=http://x]l[/link] :smile:",
    "a template": "{{ 7 * 7 }}{% for x in y %}",
    "Markdown": "`c` | **b** [l](http://x) # h",
    "SQL": "'; DROP TABLE queues; --",
    "a formula": "=HYPERLINK('http://x')",
    "a megabyte": "m" * 1_000_000,
}
"""What it would be taken for -> a name that Redis and JSON can hold."""

WORDS = [
    "data", "hostname", "status", "heartbeats", "freq", "active", "processed", "loadavg", "sw_ver", "stats", "conf",
    "active_queues", "name",
    "messages", "reserved", "timestamp", "total", "pool", "max-concurrency", "broker", "transport_options", "broker_transport_options",
    "task_queues", "task_routes", "queue", "priority_steps", "sep", "visibility_timeout", "global_keyprefix", "result_backend",
    "uuid", "state",
    "worker", "exception", "traceback", "runtime", "started", "received", "succeeded", "failed", "args", "celery@web-1",
    "tasks.a", "celery",
    "headers", "id", "published_at", "enqueued_at", "result", "progress", "step", "current", "exc_type", "worker-online", "worker-offline",
]  # fmt: skip
"""What Flower's, Celery's and Redis's documents are made of."""

VALUES = ["OK", "OFFLINE", "STARTED", "FAILURE", "********", "1e400", "-1", "nan", "50%", "1700000000.5", "prefork:TaskPool"]


def painting(text: str) -> set[str]:
    """Characters in it that a terminal, a log or a reader would take for something else; ends of lines aside."""
    return {
        character for character in text if character != "\n" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    }


def texts(longest: int = 20) -> st.SearchStrategy[str]:
    """Any text, lone surrogates included, and those above (of the megabyte, two thousand characters)."""
    return st.text(st.characters(exclude_categories=()), max_size=longest) | st.sampled_from([name[:2000] for name in NAMES.values()])


def documents() -> st.SearchStrategy[Any]:
    """JSON values with the right words in the wrong places."""
    numbers = st.integers(-(10**25), 10**25) | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([1e308, 2**63, 0, -1])
    leaves = st.none() | st.booleans() | numbers | st.sampled_from(VALUES) | texts()
    words = st.sampled_from(WORDS) | texts()
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=6), max_leaves=25)
