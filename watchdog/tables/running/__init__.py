"""Table `running`: tasks that workers execute now."""
