#!/bin/sh
# ddsketch 3.0.1 with protobuf 7.36.2 (any Python from 3.11).
#
# Guess before the run: a sketch that was written by its own protobuf form and read again answers as before, rounding aside.
# Seen: quantiles and count do; its sum is 0 and its average with it, its smallest is inf and its largest -inf. Nothing is raised, and what
# is merged into it afterwards counts in the sum alone: 4 values of average 4 and one of 5 have an average of 1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'ddsketch[serialization]==3.0.1' protobuf==7.36.2
cd "$folder"
cat >ask.py <<'PYTHON'
from importlib.metadata import version

from ddsketch import DDSketch
from ddsketch.pb.ddsketch_pb2 import DDSketch as Message
from ddsketch.pb.proto import DDSketchProto


def told(sketch):
    half = sketch.get_quantile_value(0.5)
    return f"count {sketch.count:g}, sum {sketch.sum:g}, average {sketch.avg:g}, from {sketch._min:g} to {sketch._max:g}, median {half:.2f}"


before = DDSketch(0.01)
for value in (1, 2, 3, 10):
    before.add(value)
message = Message()
message.ParseFromString(DDSketchProto.to_proto(before).SerializeToString())
after = DDSketchProto.from_proto(message)
print("ddsketch", version("ddsketch"))
print("written:", told(before))
print("read:   ", told(after))
more = DDSketch(0.01)
more.add(5)
after.merge(more)
print("and 5:  ", told(after))
PYTHON
venv/bin/python ask.py | tee seen
diff seen - <<'SEEN' && echo "as stated"
ddsketch 3.0.1
written: count 4, sum 16, average 4, from 1 to 10, median 1.99
read:    count 4, sum 0, average 0, from inf to -inf, median 1.99
and 5:   count 5, sum 5, average 1, from 5 to 5, median 2.97
SEEN
