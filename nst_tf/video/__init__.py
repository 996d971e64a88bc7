"""Films: each frame painted like the one before it, moved as the scene moves."""
