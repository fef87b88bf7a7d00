"""What cycles saw, and rows as they last read them: memories and samples of tables, history, the row cache."""
