"""A design as a value: parts, graph, digest, labels, patterns, and the recipe that makes it a candidate."""
