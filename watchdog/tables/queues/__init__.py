"""Table `queues`: which queues there are, how long they are, who consumes them."""
