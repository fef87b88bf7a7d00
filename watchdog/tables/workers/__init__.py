"""Tables `workers` and `kinds`: which workers exist, and whether they are alive."""
