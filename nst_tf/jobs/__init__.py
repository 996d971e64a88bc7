"""Jobs: from input files to a directory with the picture, its losses and settings."""
