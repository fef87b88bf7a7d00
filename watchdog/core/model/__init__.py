"""Values that everything else is made of: what is asked, what came back, the rows of a table. Imports nothing above it."""
