"""The pictures of docs/images: `make screenshots` takes them of a small real cluster in trouble, with a day behind it that is made up."""
