"""The outbox: messages from waiting to delivered, dead or dropped, and what receivers know by them."""
