"""The target's broker: Redis or RabbitMQ."""
