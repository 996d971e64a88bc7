"""Run directories: the only code that reads and writes the files of a run."""
