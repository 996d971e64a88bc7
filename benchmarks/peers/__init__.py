"""Other programs for the same thing, as workers. They run without nst_tf."""
