"""What workers say when they are asked themselves: through Flower, or directly."""
