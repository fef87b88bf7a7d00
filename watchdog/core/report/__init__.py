"""A report of some hours: what the cluster did, what fired and who acted, what nobody could see. And when digests are due."""
