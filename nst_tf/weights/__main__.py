"""Manage weights files: ``python -m nst_tf.weights list | fetch NAME | verify PATH``."""

import sys

if __name__ == "__main__" and not __package__:  # started by its path
    sys.stderr.write("nst_tf: start it as `python -m nst_tf.weights`\n")
    sys.exit(2)

from nst_tf.console import OneLineParser, complain, print_line
from nst_tf.errors import NstError
from nst_tf.weights.download import fetch
from nst_tf.weights.registry import WEIGHTS
from nst_tf.weights.verify import verify

# ---------------------------------------------------------------------------- list


def table():
    """Return the table of weights as text, one paragraph per file."""
    return "\n\n".join(
        f"{name}\n"
        f"    network   {weights.network}\n"
        f"    file      {weights.file}\n"
        f"    size      {f'{weights.size:,} bytes' if weights.size else 'not published'}\n"
        f"    checksum  {weights.checksum}\n"
        f"    license   {weights.license}\n"
        f"    credit    {weights.credit}\n"
        f"    from      {weights.url or 'part of nst_tf; no download needed'}"
        for name, weights in WEIGHTS.items()
    )


# ---------------------------------------------------------------------------- command line


def main(arguments=None):
    """Run the command line; return 0, 2 on bad input, 130 on Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "list":
            print(table())
        elif options.command == "fetch":
            path = fetch(options.name, options.folder, url=options.url)
            print_line(f"{path} is complete and its checksum is correct")
        else:
            for line in verify(options.path):
                print_line(line)
    except NstError as error:
        return complain(error, 2)
    except OSError as error:
        return complain(f"{error.filename or 'a file'}: {error.strerror or error}", 2)
    except KeyboardInterrupt:
        return complain("interrupted; run again to resume", 130)
    return 0


def _parser():
    parser = OneLineParser(prog="python -m nst_tf.weights", description=__doc__.split(":")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="name, size, checksum, license, credit and URL of each file")
    fetch_parser = commands.add_parser("fetch", help="download a file, or resume its download")
    fetch_parser.add_argument("name", metavar="NAME", help=", ".join(WEIGHTS))
    fetch_parser.add_argument("--folder", default="model", help="target directory (default: model)")
    fetch_parser.add_argument("--url", help="another URL of the same file; its checksum must match")
    verify_parser = commands.add_parser("verify", help="identify and check a file")
    verify_parser.add_argument("path", metavar="PATH", help="file, or embedded")
    return parser


if __name__ == "__main__":
    sys.exit(main())
