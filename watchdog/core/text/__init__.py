"""Text for people: durations, suggestions, names; sanitizing of foreign text; finding secrets."""
