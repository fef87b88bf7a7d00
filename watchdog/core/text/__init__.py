"""Words for people: durations, suggestions, names; text from elsewhere made safe to print; secrets found in it."""
