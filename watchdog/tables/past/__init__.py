"""Tables that look back over days or weeks: objectives, and what is usual."""
