"""WHAT a design is: graph, notation, labels, space, variation, published designs. No torch here."""
