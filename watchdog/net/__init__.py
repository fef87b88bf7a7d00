"""Networking shared by sources and receivers: proxies, TLS, deadlines, limits of the process."""
