"""The other direction: commands to workers, changes of queues. Only for what a person asked for."""
