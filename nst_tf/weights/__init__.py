"""Weights files: where they come from, downloads, checks."""
