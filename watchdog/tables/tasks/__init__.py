"""Tables `tasks` and `errors`: outcomes by task name, and the exceptions of failed tasks."""
