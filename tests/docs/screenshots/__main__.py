"""Take the pictures of docs/images: of the page by Chromium, of the terminal by what rich makes of its colours. `make screenshots`."""

import tempfile
from pathlib import Path

from playwright.sync_api import Browser
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.docs.pages import ROOT
from tests.docs.screenshots.scene import TERMINAL_WIDTH, Scene, in_trouble
from tests.processes.browser import chromium

IMAGES = ROOT / "docs" / "images"
WIDTH = 1180
PAGES = {"page-overview": ("/", 790), "page-target": ("/targets/prod", 970), "page-incident": ("/incidents/{}", 900)}
"""Picture -> path and height."""
PANELS = ("overview", "incidents", "workers", "queues")
TERMINALS = {"terminal-status": ("status", "--target", "prod", *(word for panel in PANELS for word in ("--panel", panel)))}
"""Picture -> command."""
INK = TerminalTheme(
    (22, 24, 29),
    (220, 223, 228),
    [(22, 24, 29), (224, 108, 117), (152, 195, 121), (229, 192, 123), (97, 175, 239), (198, 120, 221), (86, 182, 194), (220, 223, 228)],
)
HTML = """<!doctype html><style>
pre {{ margin: 0; width: max-content; padding: 16px 20px; color: #dcdfe4; background: #16181d;
       font: 14px/1.35 "DejaVu Sans Mono", monospace }}
{stylesheet}</style><pre>{code}</pre>"""


def take(scene: Scene, browser: Browser) -> None:
    """Take every picture."""
    page = browser.new_page(viewport={"width": WIDTH, "height": 800}, color_scheme="light")
    for name, (path, height) in PAGES.items():
        page.set_viewport_size({"width": WIDTH, "height": height})
        page.goto(scene.url + path.format(scene.incident("QueueNoConsumers")))
        page.screenshot(path=IMAGES / f"{name}.png")
    terminal = browser.new_page()  # the page's own policy would forbid the style
    for name, command in TERMINALS.items():
        terminal.set_content(drawn(command, scene.on_terminal(*command)))
        terminal.locator("pre").screenshot(path=IMAGES / f"{name}.png")


def drawn(command: tuple[str, ...], printed: str) -> str:
    """What a terminal shows, as HTML."""
    console = Console(record=True, width=TERMINAL_WIDTH, file=Path("/dev/null").open("w"))  # noqa: SIM115 - it ends with the process
    console.print(Text.from_ansi(f"$ watchdog {' '.join(command)}\n{printed.rstrip()}"))
    return console.export_html(theme=INK, code_format=HTML)


with tempfile.TemporaryDirectory() as folder, chromium() as browser, in_trouble(Path(folder)) as scene:
    take(scene, browser)
