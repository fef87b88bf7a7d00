"""What a server said, as a reason shows it: the first line that says something, short and harmless to print."""

from watchdog.core.harmless import harmless

__all__ = ["harmless", "one_line"]


def one_line(text: str, longest: int = 200) -> str:
    """The first line that says something, harmless, at most `longest` characters."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    cut = first if len(first) <= longest else first[: longest - 1] + "…"
    return harmless(cut)
