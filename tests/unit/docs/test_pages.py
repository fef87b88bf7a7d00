"""Every page of docs/ is in the navigation, no link leads nowhere, and what a page shows can be copied: commands parse, TOML loads."""

import re
from pathlib import Path

import pytest

from tests.docs.command_lines import fault_of, shown_commands
from tests.docs.pages import PAGES, ROOT, anchors, links
from tests.docs.toml_blocks import faults_of, toml_blocks

NAVIGATION = ROOT / "docs" / "README.md"
ELSEWHERE = ("http://", "https://", "mailto:")


def called(page: Path) -> str:
    return str(page.relative_to(ROOT))


every_page = pytest.mark.parametrize("page", PAGES, ids=called)


def listed() -> list[str]:
    """The pages in the lists of the first page, from which the site's navigation is made."""
    found = re.findall(r"^- \[[^]]+\]\(([^)#]+\.md)\): \S", NAVIGATION.read_text(encoding="utf-8"), re.MULTILINE)
    return [called((NAVIGATION.parent / link).resolve()) for link in found]


def test_every_page_is_in_the_navigation() -> None:
    missing = {called(page) for page in PAGES if page != NAVIGATION} - set(listed())
    assert not missing, f"add a line to docs/README.md, as `- [What one does there](page.md): and a little more`, for {sorted(missing)}"


def test_no_page_is_in_the_navigation_twice() -> None:
    assert sorted(set(listed())) == sorted(listed())


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    wrong = [link for link in links(page) if not link.startswith(ELSEWHERE) and not leads_somewhere(page, link)]
    assert wrong == []


def leads_somewhere(page: Path, link: str) -> bool:
    """Whether there is such a file, or such a heading; a folder is none: the site has no page for it."""
    name, _, anchor = link.partition("#")
    there = (page.parent / name).resolve() if name else page
    return there.is_file() and (not anchor or anchor in anchors(there))


def test_every_picture_is_on_some_page() -> None:
    shown = {(page.parent / link).resolve() for page in PAGES for link in links(page) if link.endswith(".png")}
    assert set((ROOT / "docs" / "images").iterdir()) == shown


BLOCKS = {f"{called(page)}:{line}": text for page in PAGES for line, text in toml_blocks(page)}


@pytest.mark.parametrize("place", BLOCKS)
def test_toml_can_be_copied(place: str, tmp_path: Path) -> None:
    assert faults_of(BLOCKS[place], tmp_path) == []


@every_page
def test_every_command_can_be_copied(page: Path) -> None:
    assert {line: wrong for line in shown_commands(page) if (wrong := fault_of(line))} == {}


@pytest.mark.parametrize(
    "line",
    [
        "watchdog chekc",
        "watchdog check --onse",
        "watchdog check --format yaml",
        "watchdog tables queues tasks",
        "watchdog silence ad target=x",
    ],
)
def test_a_wrong_command_has_a_fault(line: str) -> None:
    assert fault_of(line)


def test_wrong_toml_has_a_fault(tmp_path: Path) -> None:
    assert faults_of('[[receiver]]\nname = "x"\ntype = "slak"\n', tmp_path)
    assert faults_of('[[rule]]\nname = "X"\nfrom = "queues"\nwhen = "lenth > 3"\nsummary = "x"\n', tmp_path)
