"""Displays for notebooks, during and after a run."""
