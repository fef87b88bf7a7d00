"""`watchdog init`: writes a first configuration, from the Flower and Redis that answer."""
