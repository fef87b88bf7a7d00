"""`watchdog init`: a first configuration, from what answers here."""
