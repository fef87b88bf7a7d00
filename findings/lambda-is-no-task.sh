#!/bin/sh
# Celery 5.7.0: a lambda with arguments registered as a task under a name of its own, `app.task(name="shop.double")(lambda number: 2 * number)`.
#
# Guess before the run: it registers and runs as any callable; the name is given, so nothing needs the function's own.
# Seen: a function registers and runs; the lambda raises SyntaxError at registration, because Celery writes a `def` line of the function's
# __name__, here `<lambda>`, and compiles it, to check arguments later. With `typing=False` the same line is written, and the error is the same.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check celery==5.7.0
cd "$folder"
venv/bin/python - <<'PYTHON' | tee seen
from importlib.metadata import version

from celery import Celery

app = Celery("shop", broker="memory://")


def double(number):
    return 2 * number


def tried(**options):
    try:
        return app.task(name="shop.double_too", **options)(lambda number: 2 * number)(21)
    except SyntaxError as error:
        return f"{type(error).__name__} in {error.text.strip()!r}"


print("celery", version("celery"))
print("function:", app.task(name="shop.double")(double)(21))
print("lambda:", tried())
print("lambda, typing=False:", tried(typing=False))
PYTHON
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
function: 42
lambda: SyntaxError in 'def <lambda>(number):'
lambda, typing=False: SyntaxError in 'def <lambda>(number):'
SEEN
