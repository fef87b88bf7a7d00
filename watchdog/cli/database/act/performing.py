"""One action from the command line to the audit log: is it allowed, what will it touch, does the person want that, what came back.

In: the kind and its arguments, how to guard it. Out: the exit code. Whatever ends it is written down, and nothing is sent before the
audit log has it.
"""

import os
import pwd
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from msgspec import Struct
from msgspec.structs import replace

from watchdog.app.acting import NO_BROKER, Acting
from watchdog.app.retrying import NO_FLOWER
from watchdog.app.watching import stored_past
from watchdog.cli.configuration import known_names, load, named_config
from watchdog.cli.database.act.page import action_document, foreseen_page, outcome_page
from watchdog.cli.database.opening import options_or_before
from watchdog.cli.output.refusals import Refused, warn
from watchdog.cli.output.screen import show, show_json
from watchdog.cli.output.status_line import StatusLine
from watchdog.config.settings import to_target
from watchdog.core.actions.checks import name_faults
from watchdog.core.actions.foresee import foresee
from watchdog.core.actions.outcome import Answer, Outcome, Word
from watchdog.core.actions.record import ActionRecord, new_record
from watchdog.core.actions.request import Cluster, Foreseen, Request
from watchdog.store import Store, StoreError

if TYPE_CHECKING:
    from watchdog.config.load import Loaded
    from watchdog.config.settings import TargetSettings

__all__ = ["How", "perform"]

CODES = {Word.DONE: 0, Word.PARTLY: 1, Word.FAILED: 1, Word.DECLINED: 1, Word.UNKNOWN: 3}


class NotLookedError(Refused):
    """Nothing was done, because what would be touched could not be looked at."""

    exit_code = 3


class How(Struct, frozen=True):
    """The options that all actions have."""

    yes: bool
    dry_run: bool
    as_json: bool
    wait_s: float
    target: str | None
    config: Path | None
    database: str | None


def perform(ctx: click.Context, kind: str, how: How, arguments: Mapping[str, Any]) -> int:
    """Do it, or refuse it."""
    named = {name: value for name, value in arguments.items() if isinstance(value, str)}
    several = {f"{what} {number}": name for what in ("workers", "ids") for number, name in enumerate(arguments.get(what, ()), 1)}
    faults = name_faults(named | several)
    if how.as_json and not (how.yes or how.dry_run):
        faults.append("expected --yes or --dry-run beside --json: nobody can be asked in between")
    if faults:
        raise Refused(*faults)
    config, database = options_or_before(ctx, how.config, how.database)
    loaded = load(config, {"database": database})
    settings = _target(loaded, how.target)
    request = Request(kind=kind, target=settings.name, **arguments)
    try:
        with Store.open(loaded.database, create=False, write=True, command=f"watchdog act {kind}") as store:
            return _Action(store, loaded, settings, request, how).run()
    except StoreError as error:
        raise Refused(f"{error}; nothing is done that cannot be written to the audit log") from None


def _target(loaded: "Loaded", name: str | None) -> "TargetSettings":
    targets = {target.name: target for target in loaded.settings.target}
    if name is None and len(targets) == 1:
        return next(iter(targets.values()))
    if name is None:
        raise Refused(f"expected --target, because several are configured: {', '.join(targets)}")
    return targets[known_names(tuple(targets), (name,))[0]]


class _Action:
    """One action, as it goes on."""

    def __init__(self, store: Store, loaded: "Loaded", settings: "TargetSettings", request: Request, how: How) -> None:
        self._store, self._loaded, self._settings, self._request, self._how = store, loaded, settings, request, how
        self._record: ActionRecord = new_record(request, time.time(), _author(), socket.gethostname(), os.getpid())

    def run(self) -> int:
        self._require_allowed()
        now = time.time()
        target = to_target(self._loaded.settings, self._settings)
        acting = Acting(self._settings, target, stored_past(self._store, target.name, 0.0, now), self._how.wait_s)
        with StatusLine() as status:
            cluster = acting.look(self._request, status.say)
        foreseen = foresee(self._request, cluster)
        if foreseen.faults:
            self._refuse(foreseen.faults, unknown=cluster.silence in foreseen.faults and cluster.silence not in (NO_BROKER, NO_FLOWER))
        if not self._how.as_json:
            show(foreseen_page(self._request, foreseen))
        if self._how.dry_run:
            return self._only_said(foreseen)
        if not self._wanted():
            self._write(Word.DECLINED, "")
            click.echo("nothing was done", err=True)
            return CODES[Word.DECLINED]
        return self._done(acting, foreseen, cluster)

    def _done(self, acting: Acting, foreseen: Foreseen, cluster: Cluster) -> int:
        self._record = replace(self._record, workers=foreseen.workers)
        self._store.add_action(self._record)
        outcome = Outcome(Word.UNKNOWN, {"watchdog": Answer(None, "interrupted; what was sent is not known")})
        try:
            with StatusLine() as status:
                outcome = acting.perform(self._request, foreseen, cluster, status.say)
        finally:
            self._end(outcome)
        if self._how.as_json:
            show_json(action_document(self._record, foreseen, outcome))
        else:
            show(outcome_page(outcome))
        return CODES[outcome.word]

    def _only_said(self, foreseen: Foreseen) -> int:
        if self._how.as_json:
            show_json(action_document(self._record, foreseen, None))
        else:
            click.echo("nothing was done (--dry-run)")
        return 0

    def _require_allowed(self) -> None:
        allowed = self._loaded.settings.actions.allow
        if self._request.kind in allowed:
            return
        listed = ", ".join(f'"{name}"' for name in (*allowed, self._request.kind))
        where = f"the [actions] of {self._loaded.place(('actions', 'allow'))}" if allowed else f"the {named_config(self._loaded)}"
        self._refuse((f"{self._request.kind} is not allowed; write into {where}:\n  [actions]\n  allow = [{listed}]",))

    def _wanted(self) -> bool:
        """Whether the person wants it. Without a terminal nobody can be asked."""
        if self._how.yes:
            return True
        if not sys.stdin.isatty():
            self._refuse(("expected --yes, because there is no terminal to ask on; or --dry-run to only see what it would touch",))
        return click.confirm("Do it?", default=False, err=True)

    def _refuse(self, faults: tuple[str, ...], *, unknown: bool = False) -> NoReturn:
        self._write(Word.REFUSED, "; ".join(faults))
        raise (NotLookedError if unknown else Refused)(*faults)

    def _write(self, word: Word, text: str) -> None:
        """Write down an action that was not sent."""
        self._store.add_action(replace(self._record, outcome=word, text=text, ended_at=time.time()))

    def _end(self, outcome: Outcome) -> None:
        try:
            self._store.end_action(self._record.id, outcome.word, outcome.text, time.time())
        except StoreError as error:
            warn((f"how it ended could not be written to the audit log, which says `begun`: {error}",))


def _author() -> str:
    """The user of this process, whatever the environment says; and who became that by sudo."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user without an entry, as in many containers
        name = f"uid {os.getuid()}"
    became = os.environ.get("SUDO_USER", "")
    return f"{name} (sudo by {became})" if became and became != name else name
