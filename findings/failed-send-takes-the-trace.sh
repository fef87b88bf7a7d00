#!/bin/sh
# opentelemetry-instrumentation-celery 0.66b2, opentelemetry-sdk 1.45.2, Celery 5.7.0; no server: the broker is away for one send and back for the next.
#
# What one would guess (written down before the run): the span of a send that fails ends with the status ERROR, and what the process does next is in traces
# of its own.
# Seen: it never ends, so it is never exported: the sends that failed are just the ones that no trace shows. And it stays the current span, since only the
# signal after a successful publish leaves it: in a process that sends outside of any span (beat, a consumer's loop), everything from then on, later sends
# included, is one trace, whose root no backend ever receives.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check celery==5.7.0 opentelemetry-instrumentation-celery==0.66b2 opentelemetry-sdk==1.45.2
cd "$folder"
cat >ask.py <<'PYTHON'
import socket
from importlib.metadata import version

from celery import Celery
from kombu.exceptions import OperationalError
from opentelemetry import trace
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exported = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exported))
trace.set_tracer_provider(provider)
CeleryInstrumentor().instrument()
tracer = trace.get_tracer("shop")
app = Celery("shop", broker="memory://")


@app.task(name="shop.pay")
def pay():
    pass


def work(name):
    with tracer.start_as_current_span(name):
        pass


def told():
    """Which exported spans share a trace, and whether a parent is among the exported."""
    spans, letters = exported.get_finished_spans(), {}
    known = {span.context.span_id for span in spans}
    for span in spans:
        letter = letters.setdefault(span.context.trace_id, "ABCDEFGH"[len(letters)])
        parent = "no parent" if span.parent is None else "parent exported" if span.parent.span_id in known else "parent never exported"
        yield f"  {span.name}: trace {letter}, {parent}, {span.status.status_code.name}"


print("opentelemetry-instrumentation-celery", version("opentelemetry-instrumentation-celery"), "celery", version("celery"))
work("before")
pay.delay()
print("all is well:", *told(), sep="\n")
exported.clear()
with socket.socket() as nobody:
    nobody.bind(("127.0.0.1", 0))  # and does not listen
    away = app.connection_for_write(f"amqp://127.0.0.1:{nobody.getsockname()[1]}//")
    try:
        pay.apply_async(connection=away, retry=False)
    except OperationalError as error:
        print("a send fails:", type(error).__name__)
work("after")
pay.delay()
work("much later")
print("afterwards:", *told(), sep="\n")
PYTHON
venv/bin/python ask.py | tee seen
diff seen - <<'SEEN' && echo "as stated"
opentelemetry-instrumentation-celery 0.66b2 celery 5.7.0
all is well:
  before: trace A, no parent, UNSET
  apply_async/shop.pay: trace B, no parent, UNSET
a send fails: OperationalError
afterwards:
  after: trace A, parent never exported, UNSET
  apply_async/shop.pay: trace A, parent never exported, UNSET
  much later: trace A, parent never exported, UNSET
SEEN
