"""What the daemon serves over HTTP: the page, the API, metrics and health. Imported only where `[http]` is set."""
