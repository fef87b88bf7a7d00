"""When tasks are expected to run, and what schedulers say of it."""
