"""What a paper about a run cites: the papers of what it used, and a paragraph on its methods."""
