"""Conditions as SQL: tokens, a parser that checks them against the schema, and the schema itself."""
