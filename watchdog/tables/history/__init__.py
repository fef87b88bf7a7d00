"""What history keeps of the tables, and the tables over a window that only history reaches."""
