"""The runs of the page, one at a time: who waits, who is painted, how each one ended."""

import secrets
import sys
import threading
import time
import traceback
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path

from nst_tf.app.uploads import without_mark
from nst_tf.callbacks import time_left
from nst_tf.config import JobConfig
from nst_tf.errors import ConfigError, Interrupted, NstError
from nst_tf.jobs.do import do_job
from nst_tf.jobs.inputs import chosen_weights, load_content
from nst_tf.jobs.job import DONE, FAILED, Job
from nst_tf.jobs.load import load_trunk
from nst_tf.jobs.run import show_result
from nst_tf.report.inline import jpeg_bytes
from nst_tf.rundir.checkpoint import save_checkpoint
from nst_tf.rundir.journal import load_settings
from nst_tf.rundir.layout import CONFIG, folder_name, new_folder
from nst_tf.rundir.record import read_record
from nst_tf.scaling.memory import expected

WAITING, PAINTING, STOPPED = "waiting", "painting", "stopped"  # beside DONE and FAILED
OPEN = (WAITING, PAINTING)
LOOK_EVERY = 5  # iterations from one look at the picture to the next, at least
SECONDS = 0.8  # the same in seconds
SHARE = 0.05  # of the time, at most, goes into looks
SIDE = 960  # pixels of the longer side of the picture that is shown, at most
REMEMBERED = 100  # orders that have ended
RECENT = 24  # runs in the gallery
TRIED = 500  # iterations that the time is estimated for
FEWEST, MOST = 10, 20_000  # iterations that a time may stand for
FRAMES = 24  # of a time-lapse, about; more where they would be further apart than
SELDOM = 50  # iterations: a long run that is stopped soon has some, too


@dataclass(frozen=True)
class Limits:
    """What one visitor may ask of the machine.

    Attributes
    ----------
    side : int
        Pixels of the picture's longer side.
    minutes : float
        Of painting; a run that takes longer is stopped, and may be continued.
    waiting : int
        Runs that may wait.
    """

    side: int = 1280
    minutes: float = 30.0
    waiting: int = 30


@dataclass(frozen=True)
class Look:
    """A run at work, as seen at one moment.

    Attributes
    ----------
    iteration, iterations : int
    share : float
        Of the work that is done.
    left : str
        The time left in words.
    totals : list of float
        The loss of picture 0, 1, 2, ...
    jpeg : bytes
    """

    iteration: int
    iterations: int
    share: float
    left: str
    totals: list[float] = field(repr=False)
    jpeg: bytes = field(repr=False)


@dataclass
class Order:
    """A run that a visitor asked for. The studio's thread writes it, the page reads it.

    Attributes
    ----------
    key : str
        Its name in the browser.
    owner : str
        Who may stop it.
    title : str
    config : JobConfig
    seconds : float or None
        To paint for, about, in place of the config's iterations.
    folder : Path or None
        Known from the beginning where a run is continued.
    state : str
        One of WAITING, PAINTING, DONE, STOPPED, FAILED.
    words : str
        Why it failed or was stopped.
    news : list of str
        What the run says: device, weights, precision, and what it will take.
    look : Look or None
    stopping : bool
        Somebody wants it to stop.
    """

    key: str
    owner: str
    title: str
    config: JobConfig
    seconds: float | None = None
    folder: Path | None = None
    state: str = WAITING
    words: str = ""
    news: list[str] = field(default_factory=list)
    look: Look | None = None
    stopping: bool = False


class Studio:
    """Takes orders, and paints them one after the other in a thread of its own.

    Parameters
    ----------
    folder : path
        Where the runs' folders are made, as by the command line.
    limits : Limits, optional
    """

    def __init__(self, folder, limits=None):
        self.folder = Path(folder)
        self.limits = limits or Limits()
        self.orders = {}  # key -> Order, of all that were ever taken
        self.queue = deque()
        self.painting = None
        self.changed = threading.Condition()
        self.closed = False
        self.thread = threading.Thread(target=self._work, name="studio", daemon=True)
        self.thread.start()

    # ------------------------------------------------------------------------ from the page

    def take(self, config, owner, *, seconds=None, folder=None):
        """Put a run into the queue and return its `Order`; with a folder, one to go on with.

        `seconds`, where given, decide how many iterations there are.

        Raises
        ------
        ConfigError
            The visitor has an open order already, or too many wait.
        """
        with self.changed:
            mine = [each for each in self._open() if each.owner == owner]
            if mine:
                raise ConfigError(
                    f"your run {mine[0].title} is {mine[0].state}; stop it, or wait for its end"
                )
            if len(self.queue) >= self.limits.waiting:
                raise ConfigError(f"{len(self.queue)} runs wait already; try again later")
            key = secrets.token_hex(8)
            title = folder.name if folder else without_mark(folder_name(config))
            order = self.orders[key] = Order(key, owner, title, config, seconds, folder)
            self.queue.append(order)
            self._forget_old()
            self.changed.notify()
        return order

    def resume(self, name, owner):
        """Put a run that was cut off into the queue again, and return its `Order`."""
        folder = self.run_folder(name)
        if folder is None:
            raise ConfigError(f"there is no run {name!r:.60} any more")
        config = load_settings(folder)
        side = max(load_content(config)[0].shape[:2])
        if side > self.limits.side:
            raise ConfigError(
                f"{name} has {side} pixels on its longer side; this page allows {self.limits.side}"
            )
        return self.take(config, owner, folder=folder)

    def stop(self, owner):
        """Stop a visitor's order and return it: one at work keeps the picture reached.

        Raises
        ------
        ConfigError
            The visitor has none.
        """
        order = self.order_of(owner)
        if order is None:
            raise ConfigError("you have no run at work; who has started one can stop it")
        with self.changed:
            if order in self.queue:
                self.queue.remove(order)
                order.state, order.words = STOPPED, "taken out of the queue"
            order.stopping = True
        return order

    def order_of(self, owner):
        """Return the open `Order` of a visitor, or None."""
        return next((each for each in self.open_orders() if each.owner == owner), None)

    def order(self, key):
        """Return the `Order` of a key, or None."""
        return self.orders.get(key)

    def order_at(self, name):
        """Return the open `Order` that works in the folder of that name, or None."""
        with self.changed:
            found = [each for each in self._open() if each.folder and each.folder.name == name]
        return found[0] if found else None

    def open_orders(self):
        """Return the order that is painted, and those that wait, in their order."""
        with self.changed:
            return self._open()

    def place(self, order):
        """Return how many runs are before this one."""
        with self.changed:
            before = list(self.queue).index(order) if order in self.queue else 0
            return before + (self.painting is not None)

    def run_folder(self, name):
        """Return the folder of a run by its name, or None: no name leads anywhere else."""
        return next((each for each in self._run_folders() if each.name == name), None)

    def recent(self):
        """Return the folders of the last runs, the newest first."""
        found = sorted(self._run_folders(), key=_changed_at, reverse=True)
        return found[:RECENT]

    def close(self, seconds=30):
        """Stop what is painted, its picture kept, and take no more."""
        with self.changed:
            self.closed = True
            if self.painting:
                self.painting.stopping = True
            self.changed.notify()
        self.thread.join(seconds)

    def _forget_old(self):
        """Let go of the oldest orders that have ended: each holds a picture."""
        ended = [key for key, each in self.orders.items() if each.state not in OPEN]
        for key in ended[:-REMEMBERED]:
            del self.orders[key]

    def _open(self):
        return [*([self.painting] if self.painting else []), *self.queue]

    def _run_folders(self):
        if not self.folder.is_dir():
            return []
        return [each for each in self.folder.iterdir() if (each / CONFIG).is_file()]

    # ------------------------------------------------------------------------ in the thread

    def _work(self):
        while True:
            with self.changed:
                while not self.queue and not self.closed:
                    self.changed.wait()
                if self.closed:
                    return
                order = self.painting = self.queue.popleft()
                order.state = PAINTING
            try:
                state, words = self._paint(order)
            except Exception as error:  # the thread must live: others wait
                traceback.print_exc(file=sys.stderr)
                state, words = FAILED, str(error)
            with self.changed:
                order.state, order.words, self.painting = state, words, None

    def _paint(self, order):
        """Paint an order and return its state and words."""
        try:
            config = replace(order.config, weights=chosen_weights(order.config.weights))
            if order.seconds is not None:
                config = within(config, order.seconds)
            order.folder = order.folder or new_folder(self.folder, order.title)
        except NstError as error:
            return FAILED, str(error)
        watcher = Watcher(order, self.limits.minutes)
        job = Job(order.folder.name, config)
        try:
            how = {"callbacks": [watcher], "say": order.news.append}
            outcome = do_job(job, order.folder, **how)
        except Interrupted:
            return STOPPED, self._kept_picture(order.folder, watcher.why)
        _remove_if_empty(order.folder)
        return outcome.state, outcome.reason if outcome.state != DONE else ""

    def _kept_picture(self, folder, why):
        """Make the time-lapse of a run that was stopped, and return why it was."""
        try:
            show_result(folder, load_settings(folder))
        except (NstError, OSError) as error:
            return f"{why}; {error}"
        return why


class Watcher:
    """A callback that notes in an `Order` how far its run is, and stops the run when asked."""

    look_every = LOOK_EVERY

    def __init__(self, order, minutes):
        self.order = order
        self.minutes = minutes
        self.began = time.perf_counter()
        self.due = self.began
        self.totals = None
        self.why = "stopped"

    def __call__(self, step):
        """Look, if it is time; raise KeyboardInterrupt where the run shall stop."""
        if self.totals is None:
            self.totals = _totals_before(self.order.folder, step.iteration)
        self.totals.append(step.losses["total"])
        if step.image is None:
            return
        now = time.perf_counter()
        if step.last or now >= self.due:
            self._look(step)
            self.due = time.perf_counter() + max(SECONDS, (time.perf_counter() - now) / SHARE)
        if not step.last and self._shall_stop(now):
            self._save_place(step)
            raise KeyboardInterrupt

    def _look(self, step):
        jpeg = jpeg_bytes(step.picture(), side=SIDE)
        seen = step.iteration, step.iterations, step.share, time_left(step), list(self.totals)
        self.order.look = Look(*seen, jpeg)

    def _shall_stop(self, now):
        if now - self.began > 60 * self.minutes:
            self.why = f"stopped after {self.minutes:g} minutes, the most that this page allows"
            return True
        return self.order.stopping

    def _save_place(self, step):
        """Save where the run stands, so that no iteration is lost when it is continued."""
        position = step.position()
        if position is not None:
            save_checkpoint(self.order.folder, position)


def within(config, seconds):
    """Return the config with as many iterations as fit into so many seconds, by estimate."""
    model, size = load_trunk(config), load_content(config)[0].shape[:2]
    many = (TRIED, 2 * TRIED)
    once, twice = (expected(model, size, config.changed(iterations=n)).seconds for n in many)
    each = (twice - once) / TRIED
    fitting = round((seconds - (once - TRIED * each)) / each)
    return paced(config.changed(iterations=min(max(fitting, FEWEST), MOST)))


def paced(config):
    """Return the config with about `FRAMES` saved pictures, at iterations that are looked at."""
    every = LOOK_EVERY * round(config.iterations / FRAMES / LOOK_EVERY)
    return config.changed(save_every=min(max(every, LOOK_EVERY), SELDOM))


def _totals_before(folder, iteration):
    """Return the losses before an iteration, of a run that is continued."""
    if not iteration:
        return []
    return [each["total"] for each in read_record(folder).history[:iteration]]


def _remove_if_empty(folder):
    """Remove the folder of a run that was refused before it wrote anything."""
    left = [each.name for each in folder.iterdir()] if folder.is_dir() else ["?"]
    if not left:
        folder.rmdir()


def _changed_at(folder):
    try:
        return (folder / CONFIG).stat().st_mtime
    except OSError:  # it vanished just now
        return 0.0
