"""Events of tasks: reading them, remembering the tasks, and answering what Flower would be asked about them."""
