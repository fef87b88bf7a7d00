"""Redis as the broker and as a result backend, by address or through sentinels."""
