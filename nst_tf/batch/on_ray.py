"""The engine on a Ray cluster: one worker a slot, each holding its trunk, all in one shared folder.

A worker that dies, with its node or alone, is replaced; its job goes on from the last checkpoint,
on whichever worker is free. The driver alone keeps count, so that each job ends once.
"""

import contextlib
import os
import platform
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

from nst_tf.console import handlers_kept
from nst_tf.errors import Busy, ConfigError, Interrupted
from nst_tf.jobs.do import do_job, failed

HOME = Path(__file__).resolve().parents[2]  # from which a worker imports nst_tf
CPUS = 2  # of a worker that has no GPU
LOOK = 0.5  # seconds between two looks at the workers
STILL = 60.0  # seconds for a worker to save what it has when all is stopped
BUSY = 3.0  # seconds until a job is tried again that a worker given up for dead still holds
PATIENCE = 30.0  # seconds without any worker until that is said
KNOCK = 10.0  # seconds for a cluster to answer
STOPPED = "stopped"


def ray_engine(*, address=None, workers=None, cpus=None, retries=3):
    """Return an engine, for `run_batch`, that does the jobs on a Ray cluster.

    Parameters
    ----------
    address : str, optional
        Of the cluster, "auto" for the one that this machine belongs to; default: a cluster of
        this machine alone, for as long as the batch lasts.
    workers : int, optional
        How many jobs at once; default: one for each GPU of the cluster, or as many as have `cpus`.
    cpus : int
        Of each worker.
    retries : int
        How often a job is begun again whose worker has died.

    Raises
    ------
    ConfigError
        A number that can't be.
    """
    for name, value, least in (("workers", workers, 1), ("cpus", cpus, 1), ("retries", retries, 0)):
        if value is not None and value < least:
            raise ConfigError(f"--{name} is {value}; it must be at least {least}")

    def engine(jobs, folder, progress):
        ray = _ray()
        with _connected(ray, address):
            slots = _slots(ray, workers, cpus, len(jobs))
            yield from _Crew(ray, slots, Path(folder).resolve(), retries, progress).work(jobs)

    return engine


def _ray():
    """Return the module, which is an extra."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers
    try:
        import ray
    except ImportError as error:
        raise ConfigError(
            f"--engine ray needs Ray ({error}): `python -m pip install -r requirements-cluster.txt`"
        ) from None
    return ray


@contextlib.contextmanager
def _connected(ray, address):
    """Connect to a cluster, or make one of this machine; leave a connection that there was."""
    if ray.is_initialized():
        yield
        return
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        _check_answers(address)
        with handlers_kept():  # Ray's own for SIGTERM ends the program and saves nothing
            if address is None:  # "local": else it would take whatever cluster it finds running
                ray.init(address="local", include_dashboard=False, **quiet)
            else:
                ray.init(address=address, **quiet)
    except (OSError, RuntimeError, ValueError, OverflowError) as error:
        raise ConfigError(
            f"no Ray cluster answers at {address or 'this machine'} ({error}); begin one with "
            "`ray start --head`, or leave --address out"
        ) from None
    try:
        yield
    finally:
        ray.shutdown()


def _check_answers(address):
    """Knock at HOST:PORT first: at one that does not answer, Ray would knock for ever."""
    host, _, port = (address or "").rpartition(":")
    if host and port.isdigit() and "://" not in address:
        socket.create_connection((host, int(port)), timeout=KNOCK).close()


@dataclass(frozen=True)
class Slots:
    """How many workers, and what each of them takes."""

    count: int
    cpus: int
    gpus: int


def _slots(ray, workers, cpus, jobs):
    """Return the slots of a cluster: its GPUs, or its processors by the handful."""
    there = ray.cluster_resources()
    gpus = 1 if there.get("GPU", 0) >= 1 else 0
    largest = max((node["Resources"].get("CPU", 0) for node in ray.nodes()), default=1)
    cpus = cpus or max(min(CPUS, int(largest)), 1)
    if cpus > largest:
        raise ConfigError(f"--cpus is {cpus}, and no node has more than {int(largest)} processors")
    fit = int(there.get("GPU", 0)) if gpus else int(there.get("CPU", 1) // cpus)
    return Slots(max(min(workers or fit, jobs), 1), cpus, gpus)


# ---------------------------------------------------------------------------- a worker


class Worker:
    """Does jobs, one at a time, with one trunk; runs as a Ray actor.

    Two threads of it are at work: one paints, the other tells how far it is, and stops it.
    """

    def __init__(self, cpus):
        import tensorflow as tf

        with contextlib.suppress(RuntimeError):  # a worker that is no process of its own
            tf.config.threading.set_intra_op_parallelism_threads(cpus)
        self.iteration = 0
        self.stopped = threading.Event()

    def ready(self):
        """Return the name of the machine, once there is a worker."""
        return platform.node()

    def do(self, job, folder):
        """Do a job; return its `Outcome`, or why it has none: `Busy`, or `STOPPED`."""
        self.iteration = 0
        try:
            return do_job(job, folder, callbacks=[self])
        except Busy as error:
            return error
        except (Interrupted, KeyboardInterrupt):
            return STOPPED

    look_every = 0  # as a callback, it needs no picture

    def __call__(self, step):
        """Note how far the job is, and end it when all is stopped."""
        self.iteration = step.iteration
        if self.stopped.is_set():
            raise KeyboardInterrupt

    def reached(self):
        """Return the iteration of the job in work."""
        return self.iteration

    def stop(self):
        """End the job in work at its next step; its picture and checkpoint stay."""
        self.stopped.set()


# ---------------------------------------------------------------------------- the driver


@dataclass
class Turn:
    """A job that waits or is in work: how often it was begun, and when it may be tried again."""

    job: object
    attempts: int = 0
    after: float = 0.0


class _Crew:
    """The workers and what each of them does."""

    def __init__(self, ray, slots, folder, retries, progress):
        self.ray, self.slots = ray, slots
        self.folder, self.retries, self.progress = folder, retries, progress
        self.actor = ray.remote(Worker)
        self.coming, self.free, self.busy, self.asked = {}, [], {}, {}
        self.names, self.seen = {}, time.perf_counter()

    def work(self, jobs):
        """Do all jobs; yield the outcome of each as it comes."""
        waiting = deque(Turn(job) for job in jobs)
        for _ in range(self.slots.count):
            self._hire()
        try:
            while waiting or self.busy:
                self._hand_out(waiting)
                yield from self._gathered(waiting)
                self._ask()
                self._complain(waiting)
        except KeyboardInterrupt:
            self._stop()
            raise

    def _hire(self):
        worker = self.actor.options(
            num_cpus=self.slots.cpus,
            num_gpus=self.slots.gpus,
            max_concurrency=2,  # a job, and questions about it
            max_restarts=0,  # a new one is hired, wherever there is room
            runtime_env={"env_vars": {"PYTHONPATH": str(HOME)}},
        ).remote(self.slots.cpus)
        self.coming[worker.ready.remote()] = worker

    def _hand_out(self, waiting):
        """Give each free worker a job that may be tried now."""
        for _ in range(len(waiting)):
            if not self.free:
                return
            turn = waiting.popleft()
            if turn.after > time.perf_counter():
                waiting.append(turn)
                continue
            worker = self.free.pop(0)
            turn.attempts += 1
            self.progress.begin(turn.job.name)
            self.busy[worker.do.remote(turn.job, self.folder / turn.job.name)] = worker, turn

    def _gathered(self, waiting):
        """Take what has come within a moment: new workers, and jobs that ended one way or other."""
        pending = [*self.coming, *self.busy]
        came, _ = (
            self.ray.wait(pending, num_returns=len(pending), timeout=LOOK) if pending else ([], 0)
        )
        if not pending:
            time.sleep(LOOK)
        for reference in came:
            if reference in self.coming:
                self._arrived(reference)
                continue
            worker, turn = self.busy.pop(reference)
            try:
                outcome = self.ray.get(reference)
            except self.ray.exceptions.RayError as error:
                outcome = self._lost(worker, turn, error, waiting)
            else:
                self.free.append(worker)
            if isinstance(outcome, Busy):
                outcome = self._held(turn, outcome, waiting)
            if outcome == STOPPED:
                waiting.append(turn)
            elif outcome is not None:
                yield replace(outcome, attempts=turn.attempts, worker=self.names.get(worker, ""))

    def _arrived(self, reference):
        worker = self.coming.pop(reference)
        try:
            self.names[worker] = self.ray.get(reference)
            self.free.append(worker)
        except self.ray.exceptions.RayError:
            self._hire()

    def _lost(self, worker, turn, error, waiting):
        """Hire another for a worker that died; return an outcome if its job is given up."""
        self.asked.pop(worker, None)
        self._hire()
        if turn.attempts <= self.retries:
            waiting.appendleft(turn)
            return None
        kind = type(error).__name__
        return failed(
            turn.job,
            f"its worker died {turn.attempts} times ({kind}): out of memory? "
            "--resume tries again; fewer --workers or a smaller --size need less",
        )

    def _held(self, turn, error, waiting):
        """Try a job again later that another process is at: one given up for dead may live on."""
        if turn.attempts > self.retries + STILL / BUSY:
            return failed(turn.job, str(error))
        turn.after = time.perf_counter() + BUSY
        waiting.append(turn)
        return None

    def _ask(self):
        """Ask each worker how far it is, and take the answers to what was asked before."""
        for worker, turn in self.busy.values():
            answer = self.asked.get(worker)
            if answer is not None:
                came, _ = self.ray.wait([answer], timeout=0)
                if not came:
                    continue
                with contextlib.suppress(self.ray.exceptions.RayError):
                    self.progress.at(turn.job.name, self.ray.get(answer))
            self.asked[worker] = worker.reached.remote()

    def _complain(self, waiting):
        """Say from time to time that there is no worker."""
        if self.free or self.busy:
            self.seen = time.perf_counter()
        elif time.perf_counter() > self.seen + PATIENCE:
            self.seen = time.perf_counter()
            self.progress.note(
                f"{len(waiting)} jobs wait: the cluster has no room for a worker of "
                f"{self.slots.cpus} processors and {self.slots.gpus} GPUs"
            )

    def _stop(self):
        """Let every worker end its job, and wait for what it saves."""
        for worker, _ in self.busy.values():
            worker.stop.remote()
        if self.busy:
            self.ray.wait(list(self.busy), num_returns=len(self.busy), timeout=STILL)
