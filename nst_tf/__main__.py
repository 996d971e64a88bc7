"""``python -m nst_tf``: the same as ``python -m nst_tf.run``."""

from nst_tf.run import command

if __name__ == "__main__":
    command()
