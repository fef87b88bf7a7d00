"""How Sphinx makes the site of docs/ (`make docs`). The Markdown is what is read in the repository: nothing in it is for the site alone.

The source folder is the repository, so that links to the README, to examples and to code lead where they lead there. README.md beside this
file is the first page, and its lists are the navigation: a page that none of them names is a warning, and warnings fail the build.
"""

import re
from pathlib import PurePosixPath

from sphinx.application import Sphinx

project = "watchdog"
root_doc = "docs/README"
extensions = ["myst_parser"]
include_patterns = ["docs/**", "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "systemd/README.md"]
myst_heading_anchors = 4
smartquotes = False  # what is quoted is often code

html_theme = "furo"
html_title = "watchdog"
html_extra_path = ["site"]
html_show_copyright = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["site.css"]


def _navigation(first_page: str) -> str:
    """A hidden table of contents for each list of the first page, under the heading above it."""
    trees = []
    for section in first_page.split("\n## ")[1:]:
        caption, _, body = section.partition("\n")
        entries = [f"{text} <{_page(link)}>" for text, link in re.findall(r"^- \[([^]]+)\]\(([^)#]+)\.md\)", body, re.MULTILINE)]
        trees.append("\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *entries, "```"]))
    return "\n\n".join(trees)


def _page(link: str) -> str:
    """`../systemd/README` as written in docs/ -> `/systemd/README`, as Sphinx names it."""
    path = PurePosixPath(link)
    return "/" + str(PurePosixPath(*path.parts[1:]) if path.parts[0] == ".." else PurePosixPath("docs", path))


def _read(_: Sphinx, name: str, source: list[str]) -> None:
    if name == root_doc:
        source[0] += "\n" + _navigation(source[0]) + "\n"


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _read)
