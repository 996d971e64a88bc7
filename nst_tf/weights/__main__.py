"""Where weights come from: ``python -m nst_tf.weights list | fetch NAME | verify PATH``."""

import sys

from nst_tf.console import OneLineParser, complain
from nst_tf.errors import NstError
from nst_tf.weights.download import fetch
from nst_tf.weights.registry import WEIGHTS
from nst_tf.weights.verify import verify

# ---------------------------------------------------------------------------- list


def table():
    """Return the table of weights as text, a paragraph a file."""
    return "\n\n".join(
        f"{name}\n"
        f"    what      {weights.what}\n"
        f"    file      {weights.file}\n"
        f"    size      {f'{weights.size:,} bytes' if weights.size else 'not published'}\n"
        f"    checksum  {weights.checksum}\n"
        f"    licence   {weights.licence}\n"
        f"    credit    {weights.credit}\n"
        f"    from      {weights.url or 'part of nst_tf; nothing to fetch'}"
        for name, weights in WEIGHTS.items()
    )


# ---------------------------------------------------------------------------- command line


def main(arguments=None):
    """Run the command line; return 0, 2 for bad input, 130 for Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "list":
            print(table())
        elif options.command == "fetch":
            path = fetch(options.name, options.folder, url=options.url)
            print(f"{path} is there and its checksum is right")
        else:
            print("\n".join(verify(options.path)))
    except NstError as error:
        return complain(error, 2)
    except OSError as error:
        return complain(f"{error.filename or 'a file'}: {error.strerror or error}", 2)
    except KeyboardInterrupt:
        return complain("interrupted; call again to go on", 130)
    return 0


def _parser():
    parser = OneLineParser(prog="python -m nst_tf.weights", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="name, size, checksum, licence, credit and URL of each file")
    fetching = commands.add_parser("fetch", help="download a file, or go on with it")
    fetching.add_argument("name", metavar="NAME", help=", ".join(WEIGHTS))
    fetching.add_argument("--folder", default="model", help="where to (default: model)")
    fetching.add_argument("--url", help="another address of the same file; its checksum must agree")
    verifying = commands.add_parser("verify", help="tell what a file is and whether it is sound")
    verifying.add_argument("path", metavar="PATH")
    return parser


if __name__ == "__main__":
    sys.exit(main())
