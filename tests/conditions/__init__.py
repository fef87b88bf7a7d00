"""What goes wrong in Celery clusters, which rules tell of it, and where each was seen to fire: docs/conditions.md is made of it.

`python -m tests.conditions > docs/conditions.md` writes the page; tests/unit/test_conditions.py compares.
"""
