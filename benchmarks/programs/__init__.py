"""Programs that run as workers in the environment of nst_tf."""
