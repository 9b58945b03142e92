"""From files or arrays to one data set: rows joined by id, divided, encoded."""
