"""What notebooks show while and after a run."""
