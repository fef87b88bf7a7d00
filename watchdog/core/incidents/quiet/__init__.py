"""Why nobody is notified of an incident that fires (`reasons` lists all of it, in one order), and what comes and goes (`flapping`)."""
