"""What stands in a manifest, and what is told of a wrong one."""
