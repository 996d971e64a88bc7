"""The engine on a Ray cluster: one worker per slot, each with its own trunk, in a shared folder.

A worker that dies, alone or with its node, is replaced; its job resumes from the last checkpoint
on any free worker. Only the driver tracks the jobs, so that each job ends once.
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

from nst_tf.console import handlers_kept, raise_if_interrupted
from nst_tf.errors import Busy, ConfigError, Interrupted
from nst_tf.jobs.do import do_job, failed

HOME = Path(__file__).resolve().parents[2]  # workers import nst_tf from here
CPUS = 2  # per worker without a GPU
POLL = 0.5  # seconds between two polls of the workers
STOP_TIMEOUT = 60.0  # seconds for the workers to save their state when the batch is stopped
RETRY_DELAY = 3.0  # seconds until a retry of a job that a presumably dead worker still locks
NO_WORKER_NOTICE = 30.0  # seconds without any worker until that is reported
START_TRIES = 10  # workers in a row that may end before they are ready
CONNECT_TIMEOUT = 10.0  # seconds for a cluster to answer
STOPPED = "stopped"


def ray_engine(*, address=None, workers=None, cpus=None, retries=3, do=do_job):
    """Return an engine for batches and films that runs their jobs on a Ray cluster.

    Parameters
    ----------
    address : str, optional
        Of the cluster, "auto" for the one that this machine belongs to; default: a temporary
        cluster of this machine alone.
    workers : int, optional
        Number of parallel jobs; default: one per GPU of the cluster, or one per `cpus` processors.
    cpus : int
        Processors per worker.
    retries : int
        How often a job is retried after its worker died.
    do : callable
        ``(job, folder, callbacks) -> Outcome``, as `do_job`: what a worker does; of a module.

    Raises
    ------
    ConfigError
        A number is too small.
    """
    for name, value, least in (("workers", workers, 1), ("cpus", cpus, 1), ("retries", retries, 0)):
        if value is not None and value < least:
            raise ConfigError(f"--{name} is {value}; it must be at least {least}")

    def engine(jobs, folder, progress):
        ray = _import_ray()
        with _connected(ray, address):
            slots = _slots(ray, workers, cpus, len(jobs))
            pool = _Pool(ray, slots, Path(folder).resolve(), retries, progress, do)
            yield from pool.run(jobs)

    return engine


def _import_ray():
    """Return the module `ray`, an optional dependency."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no telemetry
    try:
        import ray
    except ImportError as error:
        raise ConfigError(
            f"--engine ray needs Ray ({error}): `python -m pip install -r requirements-cluster.txt`"
        ) from None
    return ray


@contextlib.contextmanager
def _connected(ray, address):
    """Connect to a cluster or start one on this machine; leave an existing connection as it is."""
    if ray.is_initialized():
        yield
        return
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        _check_answers(address)
        with handlers_kept():  # Ray's SIGTERM handler exits without saving
            if address is None:  # "local": otherwise Ray joins any running cluster
                ray.init(address="local", include_dashboard=False, **quiet)
            else:
                ray.init(address=address, **quiet)
    except (OSError, RuntimeError, ValueError, OverflowError) as error:
        raise ConfigError(
            f"no Ray cluster answers at {address or 'this machine'} ({error}); start one with "
            "`ray start --head`, or omit --address"
        ) from None
    try:
        yield
    finally:
        ray.shutdown()


def _check_answers(address):
    """Connect to HOST:PORT first: Ray itself would retry an address without an answer for ever."""
    host, _, port = (address or "").rpartition(":")
    if host and port.isdigit() and "://" not in address:
        socket.create_connection((host, int(port)), timeout=CONNECT_TIMEOUT).close()


@dataclass(frozen=True)
class Slots:
    """The number of workers and the resources of each."""

    count: int
    cpus: int
    gpus: int


def _slots(ray, workers, cpus, jobs):
    """Return the slots of a cluster: one per GPU, or one per group of processors."""
    resources = ray.cluster_resources()
    gpus = 1 if resources.get("GPU", 0) >= 1 else 0
    largest = max((node["Resources"].get("CPU", 0) for node in ray.nodes()), default=1)
    cpus = cpus or max(min(CPUS, int(largest)), 1)
    if cpus > largest:
        raise ConfigError(f"--cpus is {cpus}, but no node has more than {int(largest)} processors")
    available = int(resources.get("GPU", 0)) if gpus else int(resources.get("CPU", 1) // cpus)
    return Slots(max(min(workers or available, jobs), 1), cpus, gpus)


# ---------------------------------------------------------------------------- a worker


class Worker:
    """Runs jobs one at a time with one trunk, as a Ray actor.

    It has two threads: one runs the job, the other reports its progress and stops it.
    """

    def __init__(self, cpus, do=do_job):
        import tensorflow as tf

        with contextlib.suppress(RuntimeError):  # a worker in a shared process
            tf.config.threading.set_intra_op_parallelism_threads(cpus)
        self.run = do
        self.iteration = 0
        self.stopped = threading.Event()

    def ready(self):
        """Return the name of the machine once the worker has started."""
        return platform.node()

    def do(self, job, folder):
        """Run a job; return its `Outcome`, or `Busy` or `STOPPED` if it did not finish."""
        self.iteration = 0
        try:
            return self.run(job, folder, callbacks=[self])
        except Busy as error:
            return error
        except (Interrupted, KeyboardInterrupt):
            return STOPPED

    look_every = 0  # this callback needs no picture

    def __call__(self, step):
        """Record the iteration, and end the job if the batch is stopped."""
        self.iteration = step.iteration
        if self.stopped.is_set():
            raise KeyboardInterrupt

    def reached(self):
        """Return the iteration of the current job."""
        return self.iteration

    def stop(self):
        """End the current job at its next step, keeping its picture and checkpoint."""
        self.stopped.set()


# ---------------------------------------------------------------------------- the driver


@dataclass
class Task:
    """A waiting or running job, the number of its attempts, and the earliest time of the next."""

    job: object
    attempts: int = 0
    retry_after: float = 0.0


class _Pool:
    """The workers and their tasks."""

    def __init__(self, ray, slots, folder, retries, progress, do):
        self.ray, self.slots, self.do = ray, slots, do
        self.folder, self.retries, self.progress = folder, retries, progress
        self.actor = ray.remote(Worker)
        self.starting, self.free, self.busy, self.requests = {}, [], {}, {}
        self.names, self.last_seen, self.failed_starts = {}, time.perf_counter(), 0

    def run(self, jobs):
        """Run all jobs; yield the outcome of each as it finishes."""
        waiting = deque(Task(job) for job in jobs)
        for _ in range(self.slots.count):
            self._start_worker()
        try:
            while waiting or self.busy:
                raise_if_interrupted()
                self._assign(waiting)
                yield from self._collect(waiting)
                self._poll_progress()
                self._report_shortage(waiting)
        except KeyboardInterrupt:
            self._stop()
            raise

    def _start_worker(self):
        worker = self.actor.options(
            num_cpus=self.slots.cpus,
            num_gpus=self.slots.gpus,
            max_concurrency=2,  # the job and requests about it
            max_restarts=0,  # a new worker is started on any node with room
            runtime_env={"env_vars": {"PYTHONPATH": str(HOME)}},
        ).remote(self.slots.cpus, self.do)
        self.starting[worker.ready.remote()] = worker

    def _assign(self, waiting):
        """Give each free worker a job that is due."""
        for _ in range(len(waiting)):
            if not self.free:
                return
            task = waiting.popleft()
            if task.retry_after > time.perf_counter():
                waiting.append(task)
                continue
            worker = self.free.pop(0)
            task.attempts += 1
            self.progress.begin(task.job.name)
            self.busy[worker.do.remote(task.job, self.folder / task.job.name)] = worker, task

    def _collect(self, waiting):
        """Wait up to `POLL` seconds for started workers and ended jobs; yield the outcomes."""
        pending = [*self.starting, *self.busy]
        ready, _ = (
            self.ray.wait(pending, num_returns=len(pending), timeout=POLL) if pending else ([], 0)
        )
        if not pending:
            time.sleep(POLL)
        for reference in ready:
            if reference in self.starting:
                self._add_worker(reference)
                continue
            worker, task = self.busy.pop(reference)
            try:
                outcome = self.ray.get(reference)
            except self.ray.exceptions.RayError as error:
                outcome = self._replace_worker(worker, task, error, waiting)
            else:
                self.free.append(worker)
            if isinstance(outcome, Busy):
                outcome = self._postpone(task, outcome, waiting)
            if outcome == STOPPED:
                waiting.append(task)
            elif outcome is not None:
                yield replace(outcome, attempts=task.attempts, worker=self.names.get(worker, ""))

    def _add_worker(self, reference):
        worker = self.starting.pop(reference)
        try:
            self.names[worker] = self.ray.get(reference)
        except self.ray.exceptions.RayError as error:
            self.failed_starts += 1
            if self.failed_starts == START_TRIES:
                raise ConfigError(
                    f"{START_TRIES} workers in a row ended before they were ready "
                    f"({type(error).__name__}); check that each node of the cluster is running and "
                    "has nst_tf's packages, then resume with --resume"
                ) from error
            self._start_worker()
        else:
            self.free.append(worker)
            self.failed_starts = 0

    def _replace_worker(self, worker, task, error, waiting):
        """Replace a worker that died; return an outcome if its job is given up."""
        self.requests.pop(worker, None)
        self._start_worker()
        if task.attempts <= self.retries:
            waiting.appendleft(task)
            return None
        kind = type(error).__name__
        return failed(
            task.job,
            f"its worker died {task.attempts} times ({kind}): out of memory? "
            "--resume retries it; fewer --workers or a smaller --size use less memory",
        )

    def _postpone(self, task, error, waiting):
        """Retry later: the job is locked by another process, perhaps by a worker presumed dead."""
        if task.attempts > self.retries + STOP_TIMEOUT / RETRY_DELAY:
            return failed(task.job, str(error))
        task.retry_after = time.perf_counter() + RETRY_DELAY
        waiting.append(task)
        return None

    def _poll_progress(self):
        """Request the iteration of each worker, and read the answers to the last requests."""
        for worker, task in self.busy.values():
            answer = self.requests.get(worker)
            if answer is not None:
                ready, _ = self.ray.wait([answer], timeout=0)
                if not ready:
                    continue
                with contextlib.suppress(self.ray.exceptions.RayError):
                    self.progress.at(task.job.name, self.ray.get(answer))
            self.requests[worker] = worker.reached.remote()

    def _report_shortage(self, waiting):
        """Report from time to time that there is no worker."""
        if self.free or self.busy:
            self.last_seen = time.perf_counter()
        elif time.perf_counter() > self.last_seen + NO_WORKER_NOTICE:
            self.last_seen = time.perf_counter()
            self.progress.note(
                f"{len(waiting)} jobs are waiting: the cluster has no room for a worker with "
                f"{self.slots.cpus} processors and {self.slots.gpus} GPUs"
            )

    def _stop(self):
        """Let every worker end its job, and wait until they have saved their state."""
        for worker, _ in self.busy.values():
            worker.stop.remote()
        if self.busy:
            self.ray.wait(list(self.busy), num_returns=len(self.busy), timeout=STOP_TIMEOUT)
