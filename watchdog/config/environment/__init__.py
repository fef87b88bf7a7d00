"""What the environment adds to a configuration file: variables, references to them, and those that are set but empty."""
