"""Films: each frame is painted to match the previous one, moved along the motion of the scene."""
