"""Scenes: hours of cluster life, cut short, each with its truth beside it. `make scenes` runs and judges them; `make test` does not."""
