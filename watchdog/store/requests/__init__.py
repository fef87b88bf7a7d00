"""What people asked for: silences, acknowledgements, deploys."""
