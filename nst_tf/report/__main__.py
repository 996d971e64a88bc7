"""Pages and films of runs that there are: ``python -m nst_tf.report DIR [DIR ...]``."""

import sys
from pathlib import Path

from nst_tf.cli import reported
from nst_tf.config import FILMS
from nst_tf.console import OneLineParser, hushed, interrupt_once
from nst_tf.errors import ConfigError


def main(arguments=None):
    """Run the command line; return 0, or 2 for bad input."""
    options = make_parser().parse_args(arguments)
    return reported(lambda: _report(options))


def make_parser():
    """Return the parser."""
    parser = OneLineParser(
        prog="python -m nst_tf.report",
        description="Write report.html into the folder of each run, and an index page of several.",
        epilog="A folder that holds runs, such as output, stands for all of them.",
    )
    parser.add_argument("folders", nargs="+", metavar="DIR", help="of a run, or of several")
    parser.add_argument(
        "--index",
        metavar="FILE",
        help="the page about all of them (default: index.html in the folder that holds them)",
    )
    parser.add_argument("--animate", choices=FILMS, help="make timelapse.KIND of each run, too")
    return parser


def _report(options):
    if options.index and Path(options.index).suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"--index is {options.index}; the name of a page, .html, was expected")
    folders = runs_in(map(Path, options.folders))
    with hushed():
        from nst_tf.report.render import INDEX, write_index, write_report
        from nst_tf.report.timelapse import check_kind, save_timelapse
        from nst_tf.rundir.record import read_record
    if options.animate:
        check_kind(options.animate)
    failed = 0
    for folder in folders:
        try:
            try:
                if options.animate:
                    pictures = [path for _, path in read_record(folder).pictures]
                    film = save_timelapse(pictures, folder / f"timelapse.{options.animate}")
                    print(film, flush=True)
            finally:  # it links the film, where there is one
                print(write_report(folder), flush=True)
        except ConfigError as error:
            if len(folders) == 1:
                raise
            failed += 1
            print(f"nst_tf: {error}", file=sys.stderr)
    if len(folders) > 1 or options.index:
        print(write_index(folders, options.index or _parent(folders) / INDEX))
    return 2 if failed else 0


def runs_in(folders):
    """Return the folders of runs: those named, or those inside where one holds several."""
    found = []
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"{folder} is no folder; the folder of a run was expected")
        if not (folder / "config.json").exists():
            inside = sorted(path.parent for path in folder.glob("*/config.json"))
            if not inside:
                raise ConfigError(f"{folder} holds no run: neither config.json nor folders with it")
            found += inside
        else:
            found.append(folder)
    return list(dict.fromkeys(found))


def _parent(folders):
    """Return the folder that holds them all, as it was given; else the present one."""
    parents = {folder.resolve().parent for folder in folders}
    if len(parents) > 1:
        return Path()
    [parent] = parents
    given = (folder.parent for folder in folders if folder.parent.resolve() == parent)
    return next(given, parent)


if __name__ == "__main__":
    interrupt_once()
    sys.exit(main())
