"""The values that everything else is built on: queries, replies, rows of tables. Imports nothing above it."""
