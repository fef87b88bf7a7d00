"""Tables `workers` and `kinds`: which workers there are, and whether they live."""
