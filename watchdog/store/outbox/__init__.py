"""The outbox: messages from waiting to delivered, dead or dropped, and the notification log derived from them."""
