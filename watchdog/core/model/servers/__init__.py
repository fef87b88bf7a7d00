"""What single servers are asked, and what they tell."""
