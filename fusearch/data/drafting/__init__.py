"""A first manifest for a folder: what its files hold, which column joins them, what is predicted (decision 0065)."""
