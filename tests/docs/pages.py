"""The pages of the documentation, as tests read them: fenced blocks, links, anchors. In: Markdown files. Out: what is in them, by line."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

__all__ = ["PAGES", "ROOT", "Fence", "anchors", "fences", "inline_code", "links"]

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("systemd/*.md")])
_MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True, slots=True)
class Fence:
    """One fenced block: its language, its text, and the line of the page on which it begins."""

    language: str
    text: str
    line: int


def fences(page: Path) -> Iterator[Fence]:
    for token in _tokens(page):
        if token.type == "fence" and token.map:
            yield Fence(token.info.strip(), token.content, token.map[0] + 1)


def inline_code(page: Path) -> Iterator[str]:
    """What stands in `…` in its sentences and tables."""
    yield from (token.content for token in _inline(page) if token.type == "code_inline")


def links(page: Path) -> Iterator[str]:
    """Where its links and pictures lead, as written."""
    for token in _inline(page):
        for name in ("href", "src"):
            if name in token.attrs:
                yield str(token.attrs[name])


def anchors(page: Path) -> set[str]:
    """What `#…` may follow its address: its headings, as GitHub and the site name them."""
    tokens, seen, found = _tokens(page), Counter[str](), set[str]()
    for heading, text in pairwise(tokens):
        if heading.type == "heading_open":
            plain = "".join(child.content for child in text.children or () if child.type in ("text", "code_inline"))
            slug = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
            found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
    return found


@cache
def _tokens(page: Path) -> list[Token]:
    return _MARKDOWN.parse(page.read_text(encoding="utf-8"))


def _inline(page: Path) -> Iterator[Token]:
    for token in _tokens(page):
        yield from token.children or ()
