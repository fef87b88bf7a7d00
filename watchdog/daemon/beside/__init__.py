"""What runs beside the cycles of one configuration, on the same scheduler."""
