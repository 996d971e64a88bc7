"""Reports and time-lapses of existing runs: ``python -m nst_tf.report DIR [DIR ...]``."""

import sys
from pathlib import Path

if __name__ == "__main__" and not __package__:  # started by its path
    sys.stderr.write("nst_tf: start it as `python -m nst_tf.report`\n")
    sys.exit(2)

from nst_tf.cli import reported
from nst_tf.config import FILMS
from nst_tf.console import OneLineParser, complain, hushed, interrupt_once, print_line
from nst_tf.errors import ConfigError
from nst_tf.rundir.scores import SCORES


def main(arguments=None):
    """Run the command line; return 0, or 2 for bad input."""
    options = make_parser().parse_args(arguments)
    return reported(lambda: _report(options))


def make_parser():
    """Return the parser."""
    parser = OneLineParser(
        prog="python -m nst_tf.report",
        description="Write report.html into each run directory, and an index of several runs.",
        epilog="A directory that contains runs, such as output, selects all of them.",
    )
    parser.add_argument(
        "folders", nargs="+", metavar="DIR", help="run directory, or directory that contains runs"
    )
    parser.add_argument(
        "--index",
        metavar="FILE",
        help="the index page (default: index.html in the directory that contains the runs)",
    )
    parser.add_argument(
        "--sort",
        choices=SCORES,
        help="sort the index by this number of the score (default: by name)",
    )
    parser.add_argument("--animate", choices=FILMS, help="also write timelapse.KIND for each run")
    return parser


def _report(options):
    if options.index and Path(options.index).suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"--index is {options.index}; a file name ending in .html was expected")
    folders = find_runs(map(Path, options.folders))
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
                    print_line(film, flush=True)
            finally:  # after the time-lapse, because the report links it
                print_line(write_report(folder), flush=True)
        except ConfigError as error:
            if len(folders) == 1:
                raise
            failed += 1
            complain(error, 2)
    if len(folders) > 1 or options.index:
        print_line(
            write_index(folders, options.index or _parent(folders) / INDEX, sort=options.sort)
        )
    return 2 if failed else 0


def find_runs(folders):
    """Return the run directories: each one given, or those directly inside it."""
    found = []
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"{folder} is not a directory; a run directory was expected")
        if not (folder / "config.json").exists():
            inside = sorted(path.parent for path in folder.glob("*/config.json"))
            if not inside:
                raise ConfigError(
                    f"{folder} contains no run: no config.json in it or its subdirectories"
                )
            found += inside
        else:
            found.append(folder)
    return list(dict.fromkeys(found))


def _parent(folders):
    """Return the common parent as given on the command line, or else the current directory."""
    parents = {folder.resolve().parent for folder in folders}
    if len(parents) > 1:
        return Path()
    [parent] = parents
    given = (folder.parent for folder in folders if folder.parent.resolve() == parent)
    return next(given, parent)


if __name__ == "__main__":
    interrupt_once()
    sys.exit(main())
