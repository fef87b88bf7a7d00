"""SQLite as the store, which is the default: the file, its lock, its rescue."""
