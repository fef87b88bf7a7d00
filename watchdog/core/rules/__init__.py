"""Rules as declared: TOML to frozen rules, or every fault with its line."""
