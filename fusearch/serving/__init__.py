"""An exported bundle behind HTTP. Needs neither torch nor a search: the program of the bundle reads and predicts (decision 0108)."""
