"""A run's folder: the one owner of its files, in writing and reading."""
