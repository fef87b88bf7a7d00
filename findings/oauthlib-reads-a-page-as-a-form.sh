#!/bin/sh
# oauthlib 4.0.1; no server.
#
# Guess before the run: an OAuth2 token endpoint that answers with a page of HTML (a login page, a proxy's error) is refused as what it is: no
# JSON. A ValueError, or an error that says so.
# Seen: whatever is no JSON is read as a URL-encoded form. A page without "=" and "&" ends as "(missing_token) Missing access token parameter.",
# the message of an endpoint that answered in order and left the token out. And a page in which `access_token=` stands between two "&", such as a
# link in it, is taken for a token.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check oauthlib==4.0.1
cat >"$folder/ask.py" <<'PYTHON'
from importlib.metadata import version

from oauthlib.oauth2 import BackendApplicationClient

print("oauthlib", version("oauthlib"))
for answer in (
    "<html><body>Sign in</body></html>",
    '<a href="/help?lang=en&access_token=example&x=1">Help</a>',
    '{"error": "invalid_client"}',
):
    try:
        print(BackendApplicationClient("watchdog").parse_request_body_response(answer)["access_token"])
    except Exception as error:
        print(type(error).__name__, error)
PYTHON
"$folder/venv/bin/python" "$folder/ask.py" | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN' && echo "as stated"
oauthlib 4.0.1
MissingTokenError (missing_token) Missing access token parameter.
example
InvalidClientError (invalid_client) 
SEEN
