"""What Prometheus scrapes: the tables, watchdog's own figures and incidents; or the names of celery-exporter. By `prometheus-client`."""
