"""Large pictures, several scales, and what the machine can do: a plain run needs none of it."""
