"""The JSON API: what is shown of targets and incidents, and what people ask for, below `/api/v1/`.

In: requests. Out: the documents of `watchdog/status/documents/`, the same as on the command line. A route is one line in `routes.py`; the
description for programs (`openapi.py`) follows from it.
"""

from watchdog.web.api.routes import api

__all__ = ["api"]
