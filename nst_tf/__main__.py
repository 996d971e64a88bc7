"""``python -m nst_tf``: same as ``python -m nst_tf.run``."""

import sys

if __name__ == "__main__" and not __package__:  # started by its path
    sys.stderr.write("nst_tf: start it as `python -m nst_tf`\n")
    sys.exit(2)

from nst_tf.run import command

if __name__ == "__main__":
    command()
