"""Who is named as the author of what was asked for.

In: who was let in, and who a program says it acts for. Out: a name. Whoever was let in by name cannot act under another one.
"""

from watchdog.web.access import Person
from watchdog.web.refusals import RefusedError

__all__ = ["author_from_client", "author_of"]


def author_of(person: Person, given: str = "") -> str:
    """The author."""
    named = given.strip()
    if not person.name or person.by_token:
        return named or person.name
    if named not in ("", person.name):
        raise RefusedError(400, f"expected no author, or {person.name}, who was let in; found {named}", "body author")
    return person.name


def author_from_client(person: Person, given: str) -> str:
    """The author, where a client fills in a name that nobody typed: whoever was let in by name, else the one that it gives."""
    return author_of(person, given if not person.name or person.by_token else "")
