"""The page: overview, targets, incidents, and what people change from it. JavaScript is not needed; with it, what moves is refreshed."""
