"""Actions from the page: what an operator may do to what is shown, what it would touch, and what came back."""
