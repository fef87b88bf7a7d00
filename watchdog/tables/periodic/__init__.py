"""Tasks that should run regularly, and the schedulers that send them."""
