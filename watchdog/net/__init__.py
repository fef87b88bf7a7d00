"""What all that talks to the network shares: proxies, TLS, deadlines, limits of the process."""
