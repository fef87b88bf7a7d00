#!/bin/sh
# sqlglot 30.30.0, `read="sqlite"`, beside the SQLite of Python 3.11: conditions in which BETWEEN or IN follows a comparison, without brackets.
#
# Guess before the run: a dialect called sqlite groups as SQLite does; where the two differ, it is in rare operators such as `||` and `<<`.
# Seen: `||`, `<<`, `&` and NOT are grouped alike. But SQLite gives BETWEEN and IN the rank of `=`, below `<`, from left to right, and sqlglot
# lets them bind tighter than any comparison: `1 < 3 BETWEEN 0 AND 1` is (1 < 3) BETWEEN … to one and 1 < (3 BETWEEN …) to the other.
# Printed back, the text is the same; only who rewrites or walks the tree meets the other meaning.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sqlglot==30.30.0
cd "$folder"
venv/bin/python - <<'PYTHON' | tee seen
import sqlite3
from importlib.metadata import version

import sqlglot
from sqlglot import exp

ALIKE = ["2 * 3 || 1", "1 + 2 << 1", "7 & 3 = 3", "NOT 1 = 2", "1 = 2 < 3"]
UNLIKE = ["1 < 3 BETWEEN 0 AND 1", "1 <> 2 IN (1, 2)"]
database = sqlite3.connect(":memory:")


def value(text):
    return database.execute(f"SELECT {text}").fetchone()[0]


def bracketed(text):
    """The text with a bracket around each operand that is itself an operation, as the tree has it."""
    tree = sqlglot.parse_one(text, read="sqlite")
    for node in list(tree.find_all(exp.Binary, exp.Unary, exp.Between, exp.In)):
        if node.parent is not None and not isinstance(node, exp.Paren):
            node.replace(exp.Paren(this=node.copy()))
    return tree.sql("sqlite")


print("sqlglot", version("sqlglot"))
for text in [*ALIKE, *UNLIKE]:
    print(f"{text}: {value(text)}; as {bracketed(text)}: {value(bracketed(text))}; printed back: {sqlglot.parse_one(text, read='sqlite').sql('sqlite')}")
PYTHON
diff seen - <<'SEEN' && echo "as stated"
sqlglot 30.30.0
2 * 3 || 1: 62; as 2 * ((3 || 1)): 62; printed back: 2 * (3 || 1)
1 + 2 << 1: 6; as (1 + 2) << 1: 6; printed back: 1 + 2 << 1
7 & 3 = 3: 1; as (7 & 3) = 3: 1; printed back: 7 & 3 = 3
NOT 1 = 2: 1; as NOT (1 = 2): 1; printed back: NOT 1 = 2
1 = 2 < 3: 1; as 1 = (2 < 3): 1; printed back: 1 = 2 < 3
1 < 3 BETWEEN 0 AND 1: 1; as 1 < (3 BETWEEN 0 AND 1): 0; printed back: 1 < 3 BETWEEN 0 AND 1
1 <> 2 IN (1, 2): 1; as 1 <> (2 IN (1, 2)): 0; printed back: 1 <> 2 IN (1, 2)
SEEN
