"""A real browser, without a window: Debian's Chromium, driven by Playwright; and axe, which finds what keeps people out of a page."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

__all__ = ["as_new", "chromium", "faults_of"]

NAMES = ("chromium", "chromium-browser", "google-chrome")
ALONE = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""It runs as root in CI, and asks nobody but us."""
AXE = Path(__file__).parents[1] / "e2e" / "axe" / "axe-4.14.1.min.js"
SIZE: ViewportSize = {"width": 1280, "height": 720}
GRAVE = frozenset({"serious", "critical", "moderate"})


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser; the test is skipped where there is none."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no Chromium here; `make peers` installs Debian's, as root")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*ALONE])
        try:
            yield browser
        finally:
            browser.close()


def as_new(page: Page) -> Page:
    """A page that tests share, as it was when it was opened: a new one takes a second of CPU."""
    page.goto("about:blank")
    page.context.clear_cookies()
    page.set_viewport_size(SIZE)
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    return page


def faults_of(page: Page) -> list[str]:
    """What axe finds on a page: `rule: element`."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))  # as a script of the page, its content security policy would refuse it
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {json.dumps(node['html'])[:200]} {node['failureSummary'][:200]}"
        for violation in found["violations"]
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]
