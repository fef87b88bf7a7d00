"""PostgreSQL as the store: connections, the dialect, the schema, the lease. Loaded only where `database` names one."""
