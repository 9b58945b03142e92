"""How the members of a design are trained, and what they start from."""
