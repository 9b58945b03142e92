"""The facts of a run, without drawing: what page, Markdown and JSON are made from."""
