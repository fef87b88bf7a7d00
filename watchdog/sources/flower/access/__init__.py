"""How to get past what people put before Flower: tokens, where they come from, and login pages."""
