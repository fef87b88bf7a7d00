"""The name of a rule as a link to what the reference says of it, from a page of docs/."""

__all__ = ["rule_link"]


def rule_link(name: str) -> str:
    return f"[{name}](reference/rules.md#{name.lower()})"
