"""Large pictures, several scales, precision and memory: not needed for one small size."""
