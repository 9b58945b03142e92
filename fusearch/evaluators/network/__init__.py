"""A design as a network: streams, joins and the contract of operator layers."""
