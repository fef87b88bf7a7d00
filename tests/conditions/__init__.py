"""What goes wrong in Celery clusters, which rules tell of it, and where each was seen to fire: docs/conditions.md is made of it."""
