"""RabbitMQ's management API as a source."""
