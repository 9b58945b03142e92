"""What an operator, an encoder and their parameters are, as data."""
