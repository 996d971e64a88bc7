"""Readers of weights files. None of them executes code from a file."""
