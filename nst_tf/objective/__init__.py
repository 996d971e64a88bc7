"""What is minimized: the equations, and the terms that apply them to a network's features."""
