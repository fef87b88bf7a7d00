"""The configuration: files and environment, read strictly; paths, and masking of secrets."""
