"""Weights files: registry, downloads, checks."""
