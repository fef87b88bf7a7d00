"""Table `queues`: which queues exist, how long they are, and who consumes them."""
