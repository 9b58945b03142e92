"""HOW GOOD a design is: encoders, operator layers, network, training, cost, export. Only this room imports torch."""
