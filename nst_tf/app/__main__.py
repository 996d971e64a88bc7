"""Style transfer in a browser: ``python -m nst_tf.app``."""

import contextlib
import os
import shutil
import sys
import tempfile
import threading
import webbrowser
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path

if __name__ == "__main__" and not __package__:  # started by its path
    sys.stderr.write("nst_tf: start it as `python -m nst_tf.app`\n")
    sys.exit(2)

import psutil

from nst_tf.app import LOCAL_HOSTS
from nst_tf.cli import add_knobs, given, reported
from nst_tf.config import JobConfig
from nst_tf.console import OneLineParser, hushed, interrupt_once
from nst_tf.errors import ConfigError
from nst_tf.samples import SAMPLES

PASSWORD = "NST_TF_PASSWORD"  # noqa: S105 - the name of an environment variable
SWITCH_INTERVAL = 0.001  # seconds until a request gets the interpreter from a run; 0.005 is usual
CACHE = "nst_tf-page-"  # prefix of the directory of uploads, which is deleted at the end
# Shared by all runs of the page.
KNOBS = ("weights", "precision", "memory_limit", "device", "deterministic")


def main(arguments=None):
    """Run the command line; return 0 after Ctrl-C, 2 for bad input."""
    options = vars(make_parser().parse_args(arguments))
    return reported(lambda: _serve(given(options)))


def make_parser():
    """Return the parser: address, limits for visitors, and settings shared by all runs."""
    parser = OneLineParser(
        prog="python -m nst_tf.app",
        description="Serve a browser page for style transfer, one run at a time.",
        epilog="The page requires: pip install -r requirements-app.txt",
    )
    parser.add_argument(
        "--host",
        default=LOCAL_HOSTS[0],
        help="address to listen on; 0.0.0.0: all networks (default: %(default)s)",
    )
    parser.add_argument("--port", type=int, default=7860, metavar="N", help="default: %(default)s")
    parser.add_argument("--output", default="output", metavar="DIR", help="where to save the runs")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    _add_limits(parser.add_argument_group("for a class"))
    add_knobs(parser, [knob for knob in fields(JobConfig) if knob.name in KNOBS])
    return parser


def _add_limits(group):
    """Add the options that limit what visitors can do."""
    group.add_argument(
        "--password",
        metavar="WORD",
        help=f"required of visitors; safer in ${PASSWORD}, hidden from other users",
    )
    group.add_argument(
        "--max-side",
        type=int,
        default=1280,
        metavar="N",
        help="maximum longer side in pixels (default: %(default)s)",
    )
    group.add_argument(
        "--max-minutes",
        type=float,
        default=30,
        metavar="X",
        help="maximum minutes per run (default: %(default)s)",
    )
    group.add_argument(
        "--max-waiting",
        type=int,
        default=30,
        metavar="N",
        help="maximum length of the queue (default: %(default)s)",
    )
    group.add_argument(
        "--max-per-address",
        type=int,
        default=3,
        metavar="N",
        help="maximum active and waiting runs per network address; more if visitors share one "
        "(default: %(default)s)",
    )


def _serve(options):
    knobs = {name: options[name] for name in KNOBS if name in options}
    config = JobConfig().changed(**knobs)  # reports invalid values before anything starts
    _check(options)
    with hushed():
        from nst_tf.scaling.device import choose_device
    choose_device(config.device, deterministic=config.deterministic)  # refuses a missing GPU
    sys.setswitchinterval(SWITCH_INTERVAL)
    remove_stale_caches()
    with tempfile.TemporaryDirectory(prefix=f"{CACHE}{os.getpid()}-") as cache:
        os.environ["GRADIO_TEMP_DIR"] = cache  # Gradio's files are deleted when the page closes
        with hushed():
            from nst_tf.app.page import Server, build
        studio, uploads = _open_studio(options, knobs)
        with contextlib.closing(studio):
            page = build(studio, uploads, knobs)
            where = options["host"], options["port"]
            with contextlib.closing(
                Server(page, studio.folder, *where, password=_password(options))
            ):
                print(f"the page is at {_address(options)}; press Ctrl-C to stop it", flush=True)
                _wait_for_the_end(options)
    return 0


def remove_stale_caches():
    """Remove what visitors uploaded to pages that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{CACHE}*-*"):
        pid = folder.name.removeprefix(CACHE).split("-")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _wait_for_the_end(options):
    """Wait until Ctrl-C is pressed."""
    try:
        if options["open"]:
            webbrowser.open(f"http://127.0.0.1:{options['port']}/")
        threading.Event().wait()
    except KeyboardInterrupt:
        print("stopping: an active run is stopped and its picture is saved", flush=True)


def _open_studio(options, knobs):
    """Return the page's studio and uploads; set `knobs["weights"]` to the weights found."""
    with hushed():
        from nst_tf.app.orders import Limits
        from nst_tf.app.priority import give_way
        from nst_tf.app.studio import Studio
        from nst_tf.app.uploads import Uploads
        from nst_tf.jobs.inputs import chosen_weights
        from nst_tf.models import load_model
        from nst_tf.rundir.layout import check_directory_name, check_output
    folder = Path(options["output"])
    check_output(folder, overwrite=True)
    check_directory_name(options["output"])
    knobs["weights"] = chosen_weights(knobs.get("weights", "auto"))
    # Reports unreadable weights now, not to each visitor. TensorFlow's threads start here.
    with hushed(), ThreadPoolExecutor(1, initializer=give_way) as thread:
        thread.submit(load_model, knobs["weights"]).result()
    names = "max_side", "max_minutes", "max_waiting", "max_per_address"
    limits = Limits(*(options[name] for name in names))
    return Studio(folder, limits), Uploads(folder / "uploads", SAMPLES)


def _address(options):
    if options["host"] in ("0.0.0.0", "::"):  # noqa: S104 - a comparison
        return f"port {options['port']} of this machine, on all its addresses"
    return f"http://{options['host']}:{options['port']}/"


def _check(options):
    """Raise `ConfigError` for invalid options or a missing Gradio."""
    if find_spec("gradio") is None:
        raise ConfigError("the page requires Gradio: pip install -r requirements-app.txt")
    bounds = {"max_side": 128, "max_minutes": 0.01, "max_waiting": 1, "max_per_address": 1}
    for name, minimum in bounds.items():
        if not options[name] >= minimum:
            flag = name.replace("_", "-")
            raise ConfigError(f"--{flag} is {options[name]}; it must be at least {minimum}")
    if not 0 < options["port"] < 2**16:
        raise ConfigError(f"--port is {options['port']}; 1 to 65535 was expected")
    if options["host"] not in LOCAL_HOSTS and not _password(options):
        print(
            f"nst_tf: anyone who can reach {options['host']} can use this page and see its "
            f"pictures; set ${PASSWORD} to require a password",
            file=sys.stderr,
        )


def _password(options):
    return options.get("password") or os.environ.get(PASSWORD)


if __name__ == "__main__":
    interrupt_once()
    sys.exit(main())
