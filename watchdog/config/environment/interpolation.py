"""Interpolation of references in a configuration: `${VAR}`, `${file:/path}`, `${credential:name}`; `$${` is a literal `${`.

In: the values of a TOML file, the environment, the file's folder. Out: the same values with every string interpolated, the paths of
references, and a fault for each unresolved one. A fault names the reference, never a value.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from watchdog.core.rules.toml_lines import Path as TomlPath
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["Interpolation", "interpolate"]

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[^{}]*)\}|\$\{")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_MOST_BYTES = 1024 * 1024
"""A secret is not longer; a device or log file named by mistake is."""


class _LeadsNowhereError(Exception):
    """An unresolved reference. The message says why; it is empty if that is not a fault."""


class Interpolation(Struct):
    """Interpolated values; `references`: path -> the references in its text; `faults`: path and sentence.

    `unread`: paths whose text is incomplete, because of a fault or because credentials were left out.
    """

    values: dict[str, Any]
    references: dict[TomlPath, str] = field(default_factory=dict)
    unread: set[TomlPath] = field(default_factory=set)
    faults: list[tuple[TomlPath, str]] = field(default_factory=list)


def interpolate(values: Mapping[str, Any], environ: Mapping[str, str], folder: Path, *, credentials: bool = True) -> Interpolation:
    """Interpolate every string. Relative `${file:…}` paths start at `folder`; `${credential:…}` needs systemd's $CREDENTIALS_DIRECTORY.

    `credentials=False` leaves credentials unread, without a fault, for a check where systemd does not provide them.
    """
    interpolated = Interpolation({})
    walk = _Walk(interpolated, environ, folder, credentials)
    interpolated.values = {key: walk.value(value, (key,)) for key, value in values.items()}
    return interpolated


class _Walk(Struct, frozen=True):
    interpolated: Interpolation
    environ: Mapping[str, str]
    folder: Path
    credentials: bool

    def value(self, value: object, path: TomlPath) -> object:
        if isinstance(value, str):
            return self.text(value, path)
        if isinstance(value, list):
            return [self.value(item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, dict):
            return {key: self.value(item, (*path, key)) for key, item in value.items()}
        return value

    def text(self, text: str, path: TomlPath) -> str:
        if "${" not in text:
            return text
        return "".join(self.pieces(text, path))

    def pieces(self, text: str, path: TomlPath) -> Iterator[str]:
        """The literal parts and the values of the references, in order; nothing for unresolved ones."""
        at = 0
        for found in _REFERENCE.finditer(text):
            yield text[at : found.start()]
            at = found.end()
            if found[0] == "$${":
                yield "${"
                continue
            known = self.interpolated.references.get(path)
            self.interpolated.references[path] = f"{known}, {found[0]}" if known else found[0]
            try:
                yield _filled(self.pointed_at(found["name"]), found[0])
            except _LeadsNowhereError as fault:
                self.interpolated.unread.add(path)
                if str(fault):
                    self.interpolated.faults.append((path, str(fault)))
        yield text[at:]

    def pointed_at(self, name: str | None) -> str:
        if name is None:
            raise _LeadsNowhereError('"${" without a "}"; write "$${" for a plain "${"')
        kind, colon, rest = name.partition(":")
        if colon and kind == "file":
            return _content(self.folder / rest, f"${{{name}}}") if rest else _nothing(name)
        if colon and kind == "credential":
            return self.credential(rest)
        if not _VARIABLE.fullmatch(name):
            raise _LeadsNowhereError(f'"${{{name}}}" is no reference; expected ${{VARIABLE}}, ${{file:/path}} or ${{credential:name}}')
        if name not in self.environ:
            raise _LeadsNowhereError(f"${{{name}}}: the environment variable {name} is not set{did_you_mean(name, self.environ)}")
        return self.environ[name]

    def credential(self, name: str) -> str:
        if not name or "/" in name or name in {".", ".."}:
            raise _LeadsNowhereError(f'"${{credential:{name}}}": expected the name of a credential, as after LoadCredential= in the unit')
        if not self.credentials:
            raise _LeadsNowhereError
        folder = self.environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise _LeadsNowhereError(
                f"${{credential:{name}}}: $CREDENTIALS_DIRECTORY is not set; systemd sets it for a unit with LoadCredential={name}:/path"
            )
        return _content(Path(folder) / name, f"${{credential:{name}}}")


def _filled(text: str, reference: str) -> str:
    """The value of a reference. An empty one is a fault: it is a secret that did not arrive, and would be taken for "none"."""
    if text.strip():
        return text
    kind = next((kind for kind in ("file", "credential") if reference.startswith(f"${{{kind}:")), "variable")
    holds = "is empty" if not text else "holds nothing but spaces or line ends"
    hint = "was a secret not passed on? Give it a value, or remove the reference"
    raise _LeadsNowhereError(f"{reference}: the {kind} {holds}: {hint}")


def _nothing(name: str) -> str:
    raise _LeadsNowhereError(f'"${{{name}}}" names no file; expected ${{file:/path}}')


def _content(path: Path, reference: str) -> str:
    """A file's text without its final line end."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise _LeadsNowhereError(f"{reference}: {path} is larger than 1 MiB; expected a small text file")
        return content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise _LeadsNowhereError(f"{reference}: {path} is not UTF-8 text") from None
    except (OSError, ValueError) as error:
        raise _LeadsNowhereError(f"{reference}: cannot read {path}: {getattr(error, 'strerror', None) or 'not a path'}") from None
