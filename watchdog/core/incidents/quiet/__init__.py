"""Why nobody is notified of an incident that fires: `reasons` lists them all, in one order."""
