"""Plots of a run and drawings of designs."""
