"""Escape lines that a CI system would execute as commands, so that it shows them instead.

CI runners scan what a job prints, on both streams, for commands: GitHub's runner takes `::name …::…` at the beginning of a line, and its
older `##[name …]…` anywhere in one (github.com/actions/runner, src/Runner.Common/ActionCommand.cs); Azure Pipelines takes `##vso[…]` and
`##[…]`, TeamCity `##teamcity[…]`. Otherwise, whoever names a queue could stop every annotation of a job. (GitLab's section markers contain
a carriage return and an escape, which `sanitize` handles.) Input: text to be printed. Output: the same with one character of each command
escaped, in a form that JSON and TOML read back, or as an XML reference.
"""

import re

__all__ = ["without_commands", "without_commands_xml"]

_ANYWHERE = re.compile(r"#(?=#[A-Za-z]*\[)")
_AT_START = re.compile(r"(?:(?<=[\r\n])|\A)(\s*):(?=:[^\r\n]*?::)")
_INSIDE = re.compile(r"(?<=[\r\n])(\s*):(?=:[^\r\n]*?::)")


def without_commands(text: str, *, begins_line: bool = True) -> str:
    """Return `\\u003a:notice::x`, `\\u0023#[group]x`. `begins_line`: whether only spaces precede the text on its line."""
    return _without(text, r"\u003a", r"\u0023", begins_line=begins_line)


def without_commands_xml(document: str) -> str:
    """Do the same for an XML document, whose meaning stays the same."""
    return _without(document, "&#58;", "&#35;", begins_line=True)


def _without(text: str, colon: str, number_sign: str, *, begins_line: bool) -> str:
    if "::" in text:
        pattern = _AT_START if begins_line else _INSIDE
        text = pattern.sub(lambda found: found[1] + colon, text)
    return _ANYWHERE.sub(lambda _: number_sign, text) if "##" in text else text
