"""Loads the configuration strictly: flags over environment over file; all faults are reported at once, and no secret with them.

In: command line options, the environment, the working directory. Out: `Loaded`: frozen settings, the file they came from, the rule files,
the database, warnings. Raises `ConfigError` with all faults.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct
from pydantic import ValidationError

from watchdog.config.database_path import DatabasePlace, database_path
from watchdog.config.environment.empty import EMPTY_FLAG, EMPTY_VARIABLE, empty_texts, is_empty
from watchdog.config.environment.foreign_variables import is_foreign
from watchdog.config.faults import sentences
from watchdog.config.file import SYSTEM_FOLDER, ConfigError, Document, find_file, matching, read_document, where
from watchdog.config.names import name_faults
from watchdog.config.sections.engine import engine_faults, without_ears
from watchdog.config.sections.overrides import OverrideSettings, to_override
from watchdog.config.sections.targets import meant_by_values
from watchdog.config.settings import Settings
from watchdog.core.model.servers.database_url import is_database_url
from watchdog.core.model.target import TargetsMeant
from watchdog.core.rules.rule import Override
from watchdog.core.rules.toml_lines import Path as TomlPath
from watchdog.core.text.secrets import secrets_in
from watchdog.core.text.suggestions import did_you_mean

if TYPE_CHECKING:
    from pydantic_settings import BaseSettings

__all__ = ["ENVIRONMENT", "ConfigError", "Loaded", "load_settings"]

ENVIRONMENT: Mapping[str, str] = {
    "WATCHDOG_DATABASE": "database",
    "WATCHDOG_FLOWER": "flower",
    "WATCHDOG_FORGET_AFTER": "forget_after",
    "WATCHDOG_INTERVAL": "interval",
    "WATCHDOG_LOG_FORMAT": "log_format",
    "WATCHDOG_LOG_LEVEL": "log_level",
    "WATCHDOG_RABBITMQ": "rabbitmq",
    "WATCHDOG_REDIS": "redis",
    "WATCHDOG_RETENTION": "retention",
    "WATCHDOG_SERVICE": "service",
    "WATCHDOG_SHIPPED_RULES": "shipped_rules",
}
"""Variable -> key; also WATCHDOG_CONFIG, which names the file. A variable that is set but empty is a fault: it may be a secret that was not
passed on, and a run without it would cover less than was asked.
"""

_ONE_TARGET = ("flower", "redis", "rabbitmq")
_TRUTH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


class Loaded(Struct, frozen=True):
    """A valid configuration. `file` is the one used (None: only flags and environment), `files` also includes its includes."""

    settings: Settings
    file: Path | None
    files: tuple[Path, ...]
    rule_files: tuple[Path, ...]
    overrides: tuple[Override, ...]
    database: DatabasePlace
    warnings: tuple[str, ...]
    place: Callable[[TomlPath], str] = lambda _: ""
    """Where a value came from: a flag, a variable, or a line of a file."""


def load_settings(  # noqa: PLR0913 - the sources of a configuration
    *,
    config: Path | None,
    environ: Mapping[str, str],
    flags: Mapping[str, object],
    cwd: Path,
    system_folder: Path = SYSTEM_FOLDER,
    targets_required: bool = True,
    credentials: bool = True,
    learn: Callable[[Iterable[str]], None] = lambda _: None,
) -> Loaded:
    """Load everything. `flags`: key -> value as in `ENVIRONMENT` (None: not given); `config` is --config.

    `targets_required=False` is for commands that poll nothing (rules, incidents). `credentials=False` checks everything but
    `${credential:…}`, for systemd's ExecReload, which does not have them; such settings must not be used. `learn` is called with every
    secret before validation. Raises ConfigError.
    """
    reading = _Reading(dict(environ), {key: value for key, value in flags.items() if value is not None}, cwd, system_folder)
    reading.command_line()
    reading.environment()
    reading.file(config, credentials=credentials)
    learn(secrets_in({**reading.document.values, **reading.variables, **reading.flags}, environ))
    settings, folder = reading.validated(targets_required=targets_required), reading.path.parent if reading.path else cwd
    rule_files = tuple(reading.rule_files(settings, folder))
    database = reading.database(settings, folder)
    decisions = reading.decisions(settings, folder, database)
    reading.faults += engine_faults(settings, database, reading.place)
    if reading.faults or settings is None:
        shipped = reading.document.values.get("shipped_rules") is not False
        faults, overrides = list(dict.fromkeys(reading.faults)), tuple(reading.overrides())
        raise ConfigError(faults, rule_files, overrides, shipped_rules=shipped, meant=reading.targets_meant())
    overrides = tuple(reading.overrides())
    found = (("database", database), ("decisions", decisions))
    settings = without_ears(settings.model_copy(update={key: value for key, value in found if value}))
    return Loaded(
        settings, reading.path, tuple(reading.document.files), rule_files, overrides,
        database_path(settings, environ), tuple(reading.document.warnings), reading.place,
    )  # fmt: skip


class _Reading:
    """One load of the configuration: the layers as they are read, and the faults as they are found."""

    def __init__(self, environ: Mapping[str, str], flags: Mapping[str, object], cwd: Path, system_folder: Path) -> None:
        self.environ = environ
        self.flags = flags
        self.cwd = cwd
        self.system_folder = system_folder
        self.variables: dict[str, object] = {}
        self.faults: list[str] = []
        self.empty: set[str] = set()  # keys that a flag or a variable gave without a value
        self.path: Path | None = None
        self.document = Document(cwd)

    @property
    def one_target(self) -> dict[str, object]:
        """`flower` and `redis` from flags and environment: one target `default`, which replaces those of the file."""
        return {key: {**self.variables, **self.flags}[key] for key in _ONE_TARGET if key in self.flags or key in self.variables}

    def command_line(self) -> None:
        """Report flags without a value as faults, and treat them as not given."""
        given = {key: value for key, value in self.flags.items() if not is_empty(value)}
        self.empty |= set(self.flags) - set(given)
        self.faults += [f"--{key.replace('_', '-')}: {EMPTY_FLAG}" for key in self.flags if key not in given]
        self.flags = given

    def environment(self) -> None:
        """Read watchdog's variables. Unknown WATCHDOG_ variables are faults, and so are empty ones unless a flag replaces them."""
        for name, value in sorted(self.environ.items()):
            if not name.startswith("WATCHDOG_") or name == "WATCHDOG_CONFIG" or is_foreign(name, value):
                continue
            key = ENVIRONMENT.get(name)
            if key is None:
                known = ["WATCHDOG_CONFIG", *ENVIRONMENT]
                near = did_you_mean(name, known) or f"; known are {', '.join(known)}"
                self.faults.append(f"${name}: unknown variable{near}")
            elif not is_empty(value):
                self.variables[key] = _TRUTH.get(value.lower(), value) if key == "shipped_rules" else value
            elif key not in self.flags:
                self.empty.add(key)
                self.faults.append(f"${name}: {EMPTY_VARIABLE}")

    def file(self, config: Path | None, *, credentials: bool) -> None:
        """Find and read the file and its includes."""
        try:
            self.path = find_file(config, self.environ, self.cwd, self.system_folder)
        except ConfigError as error:
            raise ConfigError([*self.faults, *error.faults]) from None
        if self.path:
            leave_out = ("target",) if self.one_target else ()
            self.document = read_document(self.path, self.environ, self.cwd, leave_out, credentials=credentials)
            self.faults += self.document.faults

    def validated(self, *, targets_required: bool) -> Settings | None:
        """The settings, or None if they are invalid."""
        values = dict(self.document.values)
        if self.one_target:
            values["target"] = [{"name": "default", **self.one_target}]
        layers = [{k: v for k, v in layer.items() if k not in _ONE_TARGET} for layer in (self.flags, self.variables)] + [values]
        first = len(self.faults)
        self.faults += name_faults(values, self.place)
        if targets_required and not values.get("target") and not self.document.broken and self.empty.isdisjoint(_ONE_TARGET):
            self.faults.append(self.no_target())
        settings, wrong = self.held(layers, values)
        empty = dict(empty_texts(self.document.values, leave_out=self.unheard))
        told = [*empty.items(), *((path, said) for path, said in wrong if not any(path[: n + 1] in empty for n in range(len(path))))]
        merged = {**values, **layers[1], **layers[0]}
        self.faults += [f"{self.place(path)}: {where(path, merged)}: {said}" for path, said in told]
        self.faults[first:] = sorted(self.faults[first:], key=lambda fault: _reading_order(fault.partition(": ")[0]))
        return settings

    def held(self, layers: Sequence[Mapping[str, object]], values: Mapping[str, Any]) -> tuple[Settings | None, list[tuple[TomlPath, str]]]:
        """The settings; or None, and the faults that have not been reported yet."""
        try:
            return _layered(layers), []
        except ValidationError as error:
            merged = {**values, **layers[1], **layers[0]}
            found = sentences(error, Settings, merged, self.document.references)
            wrong = [(path, said) for path, said in found if not self.document.unread(path)]
            if wrong or self.faults:
                return None, wrong
        return _layered([*layers[:2], self.document.without_unread(values)]), []  # only credentials are missing, on purpose

    def unheard(self, path: TomlPath) -> bool:
        """Whether a value of the file does not count: it could not be read, or a flag or a variable replaces it."""
        return self.document.unread(path) or path[0] in {*self.flags, *self.variables}

    def rule_files(self, settings: Settings | None, folder: Path) -> Iterator[Path]:
        """The files named by `rules`, without duplicates; if the settings are invalid, those that can be determined."""
        written = self.document.values.get("rules") if settings is None else settings.rules
        patterns = written if isinstance(written, list | tuple) else ()
        seen = set()
        for index, pattern in enumerate(patterns):
            if is_empty(pattern) or not isinstance(pattern, str):
                continue
            found = matching(folder, pattern)
            if not found and set(pattern) & set("*?["):
                self.document.warnings.append(f'{self.place(("rules", index))}: rules: "{pattern}" matches no file in {folder}')
            elif not found:
                self.faults.append(f'{self.place(("rules", index))}: rules: no file "{folder / pattern}"')
            for path in found:
                if path not in seen:
                    seen.add(path)
                    yield path

    def overrides(self) -> Iterator[Override]:
        """The valid overrides, even if something else is invalid."""
        written = self.document.values.get("override")
        for index, table in enumerate(written if isinstance(written, list) else ()):
            with suppress(ValidationError):
                yield to_override(OverrideSettings.model_validate(table), self.place(("override", index)))

    def targets_meant(self) -> TargetsMeant:
        """The targets as written, if all of them could be read."""
        written = [{"name": "default", **self.one_target}] if self.one_target else self.document.values.get("target")
        unread = self.document.broken or not written
        return TargetsMeant() if unread else meant_by_values(written, self.empty, self.place(("target",)))

    def database(self, settings: Settings | None, folder: Path) -> str | None:
        """`database` as a URL, or as an absolute path: relative to the file's folder if it is in the file, else to the working one."""
        if settings is None or settings.database is None or is_database_url(settings.database):
            return None if settings is None else settings.database
        start = self.cwd if "database" in {*self.flags, *self.variables} else folder
        return str(start / Path(settings.database).expanduser())

    def decisions(self, settings: Settings | None, folder: Path, database: str | None) -> str | None:
        """`decisions` as an absolute path. Lines appended to the database would destroy it."""
        if settings is None or settings.decisions is None:
            return None
        path = folder / Path(settings.decisions).expanduser()
        there = database_path(settings.model_copy(update={"database": database}), self.environ)
        if (isinstance(there, Path) and path.resolve() == there.resolve()) or path.is_dir():
            what = "a directory" if path.is_dir() else "the database"
            self.faults.append(f"{self.place(('decisions',))}: decisions: expected a file of its own, found {what}: {path}")
        return str(path)

    def no_target(self) -> str:
        """The fault if there is nothing to watch, with what to do."""
        if self.path is None:
            return (
                f"no configuration: neither ./watchdog.toml nor {self.system_folder}/watchdog.toml is there; `watchdog init` writes one; "
                "or name one with --config, or give --flower URL and --redis URL"
            )
        shown = self.document.shown(self.path)
        example = '[[target]] with name = "prod" and flower = "http://localhost:5555", redis = "redis://localhost:6379/0" or both'
        return f"{shown}: nothing to watch: no [[target]]; add {example}, or give --flower URL and --redis URL"

    def place(self, path: TomlPath) -> str:
        """Where a value came from: a flag, a variable, or a line of a file."""
        key = str(path[0]) if path else ""
        if key == "target" and self.one_target:
            key = next((str(part) for part in path[2:3] if part in _ONE_TARGET), next(iter(self.one_target)))
        if key in self.flags:
            return "--" + key.replace("_", "-")
        if key in self.variables:
            return next(f"${name}" for name, known in ENVIRONMENT.items() if known == key)
        return self.document.place(path) if self.path else "configuration"


def _layered(layers: Sequence[Mapping[str, object]]) -> Settings:
    """Let pydantic-settings merge the layers, the first taking precedence. Raises ValidationError."""
    laid = _layers()(layers=layers)
    return Settings.model_construct(laid.model_fields_set, **dict(laid))


@cache
def _layers() -> "Callable[..., BaseSettings]":
    """The settings as a class that takes `layers`; made once: that is most of the work of reading a small configuration."""
    from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict  # noqa: PLC0415 - takes 0.25 s to import

    class Layers(Settings, BaseSettings):
        model_config = SettingsConfigDict(extra="forbid", frozen=True, case_sensitive=True, validate_default=False)

        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return tuple(
                InitSettingsSource(settings_cls, dict(layer)) for layer in cast("InitSettingsSource", init_settings).init_kwargs["layers"]
            )

    return Layers


def _reading_order(place: str) -> tuple[str, int]:
    """The sort key by which faults of one file are reported from top to bottom."""
    file, _, line = place.rpartition(":")
    return (file, int(line)) if line.isdigit() else (place, 0)
