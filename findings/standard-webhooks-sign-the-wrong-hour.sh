#!/bin/sh
# standardwebhooks 1.1.0 (any Python from 3.11).
#
# Guess before the run: sign() takes an aware datetime, and two that are the same moment give the same signature.
# Seen: it takes the clock's digits for UTC, whatever the zone says. What is signed at noon in Kathmandu counts as signed at noon UTC: beside
# a header with the true second it does not verify, and nothing says so on the side that signs.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check standardwebhooks==1.1.0 tzdata==2025.2
cd "$folder"
cat >ask.py <<'PYTHON'
from datetime import datetime, timezone
from importlib.metadata import version
from zoneinfo import ZoneInfo

from standardwebhooks import Webhook, WebhookVerificationError

now = datetime.now(timezone.utc).replace(microsecond=0)
kathmandu = now.astimezone(ZoneInfo("Asia/Kathmandu"))
webhook = Webhook("whsec_" + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB")


def verified(signature):
    try:
        webhook.verify("{}", {"webhook-id": "one", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature})
    except WebhookVerificationError as error:
        return str(error)
    return "verified"


shifted = kathmandu.replace(tzinfo=timezone.utc)
print("standardwebhooks", version("standardwebhooks"))
print("the same moment:", now == kathmandu)
print("signed in UTC:", verified(webhook.sign("one", now, "{}")))
print("signed in Kathmandu:", verified(webhook.sign("one", kathmandu, "{}")))
print("as if Kathmandu's clock were UTC:", webhook.sign("one", kathmandu, "{}") == webhook.sign("one", shifted, "{}"))
PYTHON
venv/bin/python ask.py | tee seen
diff seen - <<'SEEN' && echo "as stated"
standardwebhooks 1.1.0
the same moment: True
signed in UTC: verified
signed in Kathmandu: No matching signature found
as if Kathmandu's clock were UTC: True
SEEN
