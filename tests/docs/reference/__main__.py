"""Write the generated pages whose text has changed, and say which: `make docs-reference`."""

from tests.docs.pages import ROOT
from tests.docs.reference import GENERATED

for name, page_of in GENERATED.items():
    path, text = ROOT / name, page_of()
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
        print(f"written: {name}")  # noqa: T201 - a command
