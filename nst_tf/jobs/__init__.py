"""A job: from files to a folder with the picture, its losses and its settings."""
