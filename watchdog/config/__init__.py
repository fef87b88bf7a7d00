"""The configuration: files and environment, read strictly; where things are, and what is secret."""
