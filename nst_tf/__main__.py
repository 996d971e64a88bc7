"""``python -m nst_tf``: same as ``python -m nst_tf.run``."""

from nst_tf.run import command

if __name__ == "__main__":
    command()
