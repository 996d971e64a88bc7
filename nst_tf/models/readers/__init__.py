"""Readers of weights files. None of them runs anything that a file contains."""
