#!/bin/sh
# promtool 2.42.0 (Debian's package prometheus): unit tests of alerts whose group has an `interval` of its own.
#
# What one would guess (written down before the run): a group with `interval: 5m` is evaluated every five minutes of the test's time, as Prometheus will do
# it; `evaluation_interval` of the test file is for groups that name none, as in prometheus.yml.
# Seen: the group's interval is ignored, every group is evaluated at evaluation_interval (1 minute unless given). A spike of one minute, which Prometheus
# would mostly miss, fires in the test; and `for: 4m` is over four minutes after the backlog began, where Prometheus, looking every five, fires nine
# minutes after. The test is green, and the alert comes late or never. Only `evaluation_interval: 5m` in the test file shows that.
set -eu
command -v promtool >/dev/null || { echo "needs Debian's prometheus"; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >rules.yml <<'YAML'
groups:
  - name: slow
    interval: 5m
    rules:
      - {alert: Backlog, expr: queue_length > 100}
      - {alert: BacklogStays, expr: queue_length > 100, for: 4m}
YAML
# A spike in minute 12 alone, then a backlog from minute 21 on.
cat >test.yml <<'YAML'
rule_files: [rules.yml]
tests:
  - interval: 1m
    input_series:
      - {series: queue_length, values: "0x11 500 0x7 500x20"}
    alert_rule_test:
YAML
fires() { # alert minute: whether a test that expects it is green
    { cat test.yml; echo "      - {eval_time: $2m, alertname: $1, exp_alerts: [{}]}"; echo "evaluation_interval: $3"; } >one.yml
    if promtool test rules one.yml >log 2>&1; then echo fires; else grep -q "got:\[\]" log && echo "does not fire"; fi
}
promtool --version | sed -n '1s/^promtool, version \([^ +]*\).*/promtool \1/p' | tee seen
for interval in 1m 5m; do
    echo "evaluated every $interval: Backlog in minute 12 $(fires Backlog 12 $interval), BacklogStays in minute 25 $(fires BacklogStays 25 $interval), in minute 30 $(fires BacklogStays 30 $interval)" | tee -a seen
done
diff seen - <<'SEEN' && echo "as stated"
promtool 2.42.0
evaluated every 1m: Backlog in minute 12 fires, BacklogStays in minute 25 fires, in minute 30 fires
evaluated every 5m: Backlog in minute 12 does not fire, BacklogStays in minute 25 does not fire, in minute 30 fires
SEEN
