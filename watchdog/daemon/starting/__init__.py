"""How the process of a daemon starts, up to the moment when it works: signals, imports, standing by."""
