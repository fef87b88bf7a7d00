"""Schedules as others write them, read into values of the core."""
