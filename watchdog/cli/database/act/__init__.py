"""`watchdog act`: what people do to workers and queues, guarded and written down."""
