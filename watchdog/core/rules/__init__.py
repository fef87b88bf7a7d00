"""Rules as declared: from TOML to frozen rules, or every fault with its line."""
