"""`watchdog`, which asks for everything in each look, where a user's takes most of Flower's answers for good for 15 or 30 s.

It sees the same, only sooner, for tests that wait until a change is seen. How long answers are good for: `tests/unit/polling`.
"""

from watchdog.__main__ import main
from watchdog.core.model.queries import Query
from watchdog.tables.periodic import silence

GOOD_FOR_S = 0.5
SLACK_S = 3.0

if __name__ == "__main__":
    for query in Query.__subclasses__():
        query.good_for_s = min(query.good_for_s, GOOD_FOR_S)
    silence.SLACK_S = SLACK_S  # it is as long as it is for counters that are read every 15 s
    main()
