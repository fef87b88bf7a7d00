"""What people are shown as JSON documents, one type each: the same on the command line (`--json`, `--format json`) and in the API."""
