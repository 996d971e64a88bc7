"""The queue of the page's runs: paint one at a time and record progress and outcome."""

import contextlib
import secrets
import sys
import tempfile
import threading
import time
import traceback
from collections import deque
from dataclasses import replace
from pathlib import Path

from nst_tf.app import LOCAL_HOSTS
from nst_tf.app.films import check_film, paint_film
from nst_tf.app.orders import (
    LOOK_SECONDS,
    LOOK_SIDE,
    OPEN,
    PAINTING,
    STOPPED,
    Limits,
    Look,
    Order,
    time_is_up,
)
from nst_tf.app.uploads import without_mark
from nst_tf.console import print_line
from nst_tf.errors import ConfigError, Interrupted, NstError
from nst_tf.files import in_use, make_folder
from nst_tf.image.sizes import fit_size, parse_size
from nst_tf.jobs.do import do_job
from nst_tf.jobs.inputs import chosen_weights, load_content
from nst_tf.jobs.job import DONE, FAILED, Job
from nst_tf.jobs.load import load_trunk
from nst_tf.jobs.run import show_result
from nst_tf.report.inline import jpeg_bytes
from nst_tf.rundir.checkpoint import save_checkpoint
from nst_tf.rundir.journal import load_settings
from nst_tf.rundir.layout import CONFIG, FILM, JOURNAL, folder_name, new_folder
from nst_tf.rundir.record import read_record
from nst_tf.scaling.memory import expected
from nst_tf.scaling.times import TimeLeft
from nst_tf.video.config import VideoConfig

LOCAL_ADDRESSES = ("", *LOCAL_HOSTS)
LOOK_EVERY = 5  # minimum iterations between two previews
MAX_LOOK_SHARE = 0.05  # maximum share of the time spent on previews
REMEMBERED = 100  # ended orders to remember
RECENT = 24  # runs in the gallery
TRIAL_ITERATIONS = 500  # for which the time is estimated
MIN_ITERATIONS, MAX_ITERATIONS = 10, 20_000  # range of a duration given in seconds
FRAMES = 24  # approximate number of frames in a time-lapse
MAX_SAVE_EVERY = 50  # iterations: a long run has frames even if it is stopped early


class Studio:
    """A queue of orders, painted one at a time in a background thread.

    Parameters
    ----------
    folder : path
        Parent of the run directories, as on the command line. It is created once, at the start.
    limits : Limits, optional
    """

    def __init__(self, folder, limits=None):
        self.folder = Path(folder)
        make_folder(self.folder)
        self.limits = limits or Limits()
        self.orders = {}  # key -> Order: open and recently ended orders
        self.queue = deque()
        self.painting = None
        self.changed = threading.Condition()
        self.closed = False
        self.thread = threading.Thread(target=self._work, name="studio", daemon=True)
        self.thread.start()

    # ------------------------------------------------------------------------ called by the page

    def take(self, config, owner, *, seconds=None, folder=None, address=""):
        """Add a run to the queue and return its `Order`; with `folder`, resume the run there.

        `seconds`, if given, determines the number of iterations. `address` is the visitor's.

        Raises
        ------
        ConfigError
            The visitor or the address has its share of open orders, or the queue is full.
        """
        with self.changed:
            mine = [order for order in self._open() if order.owner == owner]
            if mine:
                raise ConfigError(
                    f"your run {mine[0].title} is {mine[0].state}; stop it or wait until it ends"
                )
            near = sum(order.address == address for order in self._open())
            if near >= self.limits.per_address and address not in LOCAL_ADDRESSES:
                raise ConfigError(
                    f"{near} runs of your network address are not finished yet, the limit of this "
                    "page; try again later"
                )
            if len(self.queue) >= self.limits.waiting:
                raise ConfigError(f"the queue is full ({len(self.queue)}); try again later")
            key = secrets.token_hex(8)
            title = folder.name if folder else without_mark(folder_name(config))
            order = Order(key, owner, title, config, seconds, folder, address=address)
            self.orders[key] = order
            self.queue.append(order)
            self._forget_old()
            self.changed.notify()
        return order

    def resume(self, name, owner, *, address=""):
        """Add an unfinished run to the queue and return its `Order`."""
        folder = self.run_folder(name)
        if folder is None:
            raise ConfigError(f"the run {name!r:.60} does not exist; choose a recent run")
        if not (folder / JOURNAL).exists():
            raise ConfigError(
                f"{name} can't be continued: its {JOURNAL} is lost, its other files are unchanged; "
                "put the file back, or start a new run"
            )
        config = settings_of(folder)
        side = max(_size_of(config))
        if side > self.limits.side:
            raise ConfigError(
                f"{name} has {side} pixels on its longer side; this page allows {self.limits.side}"
            )
        return self.take(config, owner, folder=folder, address=address)

    def stop(self, owner):
        """Stop a visitor's order and return it; a run that has started keeps its picture.

        Raises
        ------
        ConfigError
            The visitor has no open order.
        """
        order = self.order_of(owner)
        if order is None:
            raise ConfigError("you have no active run; a run can be stopped only by its owner")
        with self.changed:
            if order in self.queue:
                self.queue.remove(order)
                order.state, order.reason = STOPPED, "removed from the queue"
            order.stopping = True
        return order

    def order_of(self, owner):
        """Return the open `Order` of a visitor, or None."""
        return next((order for order in self.open_orders() if order.owner == owner), None)

    def order(self, key):
        """Return the `Order` of a key, or None."""
        return self.orders.get(key)

    def order_at(self, name):
        """Return the open `Order` that writes to the run directory of that name, or None."""
        with self.changed:
            orders = [order for order in self._open() if order.folder and order.folder.name == name]
        return orders[0] if orders else None

    def open_orders(self):
        """Return the active order followed by the waiting ones in queue order."""
        with self.changed:
            return self._open()

    def place(self, order):
        """Return the number of runs ahead of an order."""
        with self.changed:
            ahead = list(self.queue).index(order) if order in self.queue else 0
            return ahead + (self.painting is not None)

    def run_folder(self, name):
        """Return the run directory of that name, or None; no path outside `folder` matches."""
        return next((folder for folder in self._run_folders() if folder.name == name), None)

    def recent(self):
        """Return the directories of the most recent runs, newest first."""
        folders = sorted(self._run_folders(), key=_modified_time, reverse=True)
        return folders[:RECENT]

    def close(self, seconds=30):
        """Stop the active run, keep its picture, and start no more runs."""
        with self.changed:
            self.closed = True
            if self.painting:
                self.painting.stopping = True
            self.changed.notify()
        self.thread.join(seconds)

    def _forget_old(self):
        """Delete the oldest ended orders: each holds a picture."""
        ended = [key for key, order in self.orders.items() if order.state not in OPEN]
        for key in ended[:-REMEMBERED]:
            del self.orders[key]

    def _open(self):
        return [*([self.painting] if self.painting else []), *self.queue]

    def _run_folders(self):
        if not self.folder.is_dir():
            return []
        folders = self.folder.iterdir()
        return [folder for folder in folders if is_film(folder) or (folder / CONFIG).is_file()]

    # ------------------------------------------------------------------------ in the thread

    def _work(self):
        # With the usual priority: while this thread holds the interpreter and waits for a
        # processor, visitors' requests wait for both.
        while True:
            with self.changed:
                while not self.queue and not self.closed:
                    self.changed.wait()
                if self.closed:
                    return
                order = self.painting = self.queue.popleft()
                order.state = PAINTING
            try:
                state, reason = self._paint(order)
            except Exception as error:  # keep the thread alive for the waiting orders
                for line in traceback.format_exc().splitlines():
                    print_line(line, file=sys.stderr)
                state, reason = FAILED, str(error)
            with self.changed:
                order.state, order.reason, self.painting = state, reason, None

    def _paint(self, order):
        """Run an order; return its state and reason."""
        try:
            config = replace(order.config, weights=chosen_weights(order.config.weights))
            if order.seconds is not None:
                config = within(config, order.seconds)
            resume = order.folder is not None
            with in_use(self.folder):
                order.folder = order.folder or new_folder(self.folder, order.title)
        except NstError as error:
            return FAILED, str(error)
        except FileNotFoundError as error:
            return FAILED, f"{error.filename}: {error.strerror}"
        if isinstance(config, VideoConfig):
            order.config = config
            return self._paint_film(order, resume)
        watcher = Watcher(order, self.limits.minutes)
        job = Job(order.folder.name, config)
        try:
            told = {"callbacks": [watcher], "say": order.news.append}
            outcome = do_job(job, order.folder, resume=resume, **told)
        except Interrupted:
            return STOPPED, self._finish_stopped(order.folder, watcher.reason)
        _remove_if_empty(order.folder)
        return outcome.state, outcome.reason if outcome.state != DONE else ""

    def _paint_film(self, order, resume):
        try:
            outcome = paint_film(order, self.limits.minutes, resume=resume)
        except NstError as error:
            outcome = FAILED, str(error)
        _remove_if_empty(order.folder)
        return outcome

    def _finish_stopped(self, folder, reason):
        """Write the time-lapse of a stopped run; return the reason, with any error."""
        try:
            show_result(folder, load_settings(folder))
        except (NstError, OSError) as error:
            return f"{reason}; {error}"
        return reason


class Watcher:
    """A callback that records a run's progress in its `Order` and stops the run on request."""

    look_every = LOOK_EVERY

    def __init__(self, order, minutes):
        self.order = order
        self.minutes = minutes
        self.began = time.perf_counter()
        self.due = self.began
        self.totals = None
        self.reason = "stopped"
        self.time_left = TimeLeft()

    def __call__(self, step):
        """Update the preview if it is due; raise KeyboardInterrupt to stop the run."""
        if self.totals is None:
            self.totals = _totals_before(self.order.folder, step.iteration)
        self.totals.append(step.losses["total"])
        self.left = self.time_left(step)
        if step.image is None:
            return
        now = time.perf_counter()
        if step.last or now >= self.due:
            self._update_look(step)
            spent = time.perf_counter() - now
            self.due = time.perf_counter() + max(LOOK_SECONDS, spent / MAX_LOOK_SHARE)
        if not step.last and self._must_stop(now):
            self._save_checkpoint(step)
            raise KeyboardInterrupt

    def _update_look(self, step):
        self.order.look = Look(
            step.iteration,
            step.iterations,
            step.share,
            self.left,
            list(self.totals),
            jpeg_bytes(step.picture(), side=LOOK_SIDE),
        )

    def _must_stop(self, now):
        if now - self.began > 60 * self.minutes:
            self.reason = time_is_up(self.minutes)
            return True
        return self.order.stopping

    def _save_checkpoint(self, step):
        """Save a checkpoint, so that no iteration is lost when the run is continued."""
        position = step.position()
        if position is not None:
            save_checkpoint(self.order.folder, position)


def is_film(folder):
    """Return whether a run directory is that of a film."""
    return (folder / FILM).is_file()


def settings_of(folder):
    """Return the saved `JobConfig`, or `VideoConfig`, of a run directory."""
    return VideoConfig.load(folder / FILM) if is_film(folder) else load_settings(folder)


def _size_of(config):
    """Return the height and width of the result of a run."""
    if not isinstance(config, VideoConfig):
        return load_content(config)[0].shape[:2]
    with tempfile.TemporaryDirectory() as temporary:
        facts = check_film(config, Path(temporary) / "first.png")
    return fit_size(parse_size(config.size), facts.size)


def within(config, seconds):
    """Return the config with the estimated number of iterations that fit into `seconds`."""
    model, size = load_trunk(config), load_content(config)[0].shape[:2]
    counts = (TRIAL_ITERATIONS, 2 * TRIAL_ITERATIONS)
    once, twice = (expected(model, size, config.changed(iterations=n)).seconds for n in counts)
    per_iteration = (twice - once) / TRIAL_ITERATIONS
    overhead = once - TRIAL_ITERATIONS * per_iteration
    fitting = round((seconds - overhead) / per_iteration)
    return paced(config.changed(iterations=min(max(fitting, MIN_ITERATIONS), MAX_ITERATIONS)))


def paced(config):
    """Return the config with about `FRAMES` saved pictures, or more in a long run.

    Pictures are saved at iterations that also have a preview.
    """
    every = LOOK_EVERY * round(config.iterations / FRAMES / LOOK_EVERY)
    return config.changed(save_every=min(max(every, LOOK_EVERY), MAX_SAVE_EVERY))


def _totals_before(folder, iteration):
    """Return the total losses before `iteration` of a continued run."""
    if not iteration:
        return []
    return [losses["total"] for losses in read_record(folder).history[:iteration]]


def _remove_if_empty(folder):
    """Remove the directory of a run that was rejected before it wrote anything."""
    with contextlib.suppress(OSError):  # it is not empty, or was removed in the meantime
        folder.rmdir()


def _modified_time(folder):
    try:
        return (folder / (FILM if is_film(folder) else CONFIG)).stat().st_mtime
    except OSError:  # removed in the meantime
        return 0.0
