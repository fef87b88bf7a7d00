"""docs/ as it is made and held against the code: the pages, what is generated of them, the pictures in them."""
