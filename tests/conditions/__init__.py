"""What goes wrong in Celery clusters, which rules report it, and where each was seen to fire: docs/conditions.md is made of it."""
