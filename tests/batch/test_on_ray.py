"""Batches on a Ray cluster of three nodes, all on this machine."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

from nst_tf.batch.__main__ import main
from nst_tf.batch.lists import pairs
from nst_tf.batch.whole import run_batch
from nst_tf.config import JobConfig
from nst_tf.errors import ConfigError
from nst_tf.jobs.job import Job
from nst_tf.jobs.on_ray import HOME, Slots, Worker, _Pool, ray_engine
from nst_tf.rundir.checkpoint import checkpoints

pytestmark = pytest.mark.cluster


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate("abcdxy"):
        Image.fromarray(make_picture(48, 64, seed=number)).save(f"{name}.png")
    return tmp_path


@pytest.fixture
def jobs(photos, tiny_mat):
    base = JobConfig(weights=str(tiny_mat), iterations=60, save_every=30, size="96")
    base = base.changed(precision="float32", checkpoint_every=0.05)
    return pairs([f"{name}.png" for name in "abcd"], ["x.png", "y.png"], base=base)


@pytest.fixture(scope="module")
def cluster():
    """Start a cluster of three nodes."""
    from ray import cluster_utils

    cluster = cluster_utils.Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 2, "include_dashboard": False},
    )
    cluster.workers = [cluster.add_node(num_cpus=2) for _ in range(2)]
    cluster.wait_for_nodes()
    yield cluster
    cluster.shutdown()


def rows(folder):
    with open(Path(folder) / "summary.csv", newline="") as file:
        return list(csv.DictReader(file))


def assert_same_pictures(folder_a, folder_b, jobs):
    for job in jobs:
        first, second = (
            np.asarray(Image.open(Path(folder, job.name, "result.png")))
            for folder in (folder_a, folder_b)
        )
        np.testing.assert_array_equal(first, second, err_msg=job.name)


def when(condition, action, seconds=60):
    """Call `action` in a thread as soon as `condition()` is true."""

    def wait():
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.02)
        action()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def has_checkpoint(job):
    folder = Path("out") / job.name
    return folder.is_dir() and bool(checkpoints(folder))


def test_unreachable_cluster_is_reported(jobs, capsys):
    """This test comes before those with a cluster, which `auto` would find."""
    args = ["--content", "a.png", "--style", "x.png", "--output", "out", "--engine", "ray"]
    for address in ("auto", "127.0.0.1:1", "127.0.0.1:99999", "no.such.host.invalid:6379"):
        assert main([*args, "--address", address]) == 2
        stderr = capsys.readouterr().err
        assert f"no Ray cluster answers at {address}" in stderr
        assert len(stderr.splitlines()) == 1
        shutil.rmtree("out")


def test_stopped_driver_can_be_resumed(jobs, photos, cluster):
    """Stop one batch three times."""
    jobs = jobs[:5]
    Path("jobs.json").write_text(
        json.dumps({"jobs": [{"name": job.name, **asdict(job.config)} for job in jobs]})
    )
    of_its_own = ["--engine", "ray", "--workers", "1"]  # a Ray that the driver starts and ends
    on_cluster = [*of_its_own, "--address", cluster.address]
    arguments = ["jobs.json", "--output", "out"]
    for signal_number, where in (
        (signal.SIGINT, on_cluster),
        (signal.SIGTERM, of_its_own),
        (signal.SIGKILL, on_cluster),
    ):
        stderr = stop_driver([*arguments, *where], jobs, signal_number)
        if signal_number != signal.SIGKILL:
            assert "`python -m nst_tf.batch --resume out` resumes" in stderr
            assert "Traceback" not in stderr
        arguments = ["--resume", "out"]
    with started([*arguments, *on_cluster]) as driver:
        stderr = driver.communicate(timeout=120)[1]
    assert driver.returncode == 0, stderr
    assert [row["state"] for row in rows("out")] == ["done"] * len(jobs)
    run_batch(jobs, "here", say=None)
    assert_same_pictures("out", "here", jobs)


def started(arguments):
    """Start a batch."""
    command = [sys.executable, "-m", "nst_tf.batch", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(HOME)}
    return subprocess.Popen(command, env=environment, text=True, stderr=subprocess.PIPE)


def stop_driver(arguments, jobs, signal_number):
    """Start a batch, stop it after its next checkpoint in the middle of a job; return stderr."""
    before = all_checkpoints(jobs)
    with started(arguments) as driver:
        send = partial(driver.send_signal, signal_number)
        when(lambda: all_checkpoints(jobs) - before, send).join()
        stderr = driver.communicate(timeout=120)[1]
    killed = signal_number == signal.SIGKILL
    assert driver.returncode == (-signal_number if killed else 128 + signal_number), stderr
    return stderr


def all_checkpoints(jobs):
    folders = [Path("out") / job.name for job in jobs]
    return {path for folder in folders if folder.is_dir() for path in checkpoints(folder)}


# ------------------------------------------------------------------ without a cluster


def test_invalid_counts_raise():
    for options in ({"workers": 0}, {"cpus": 0}, {"retries": -1}):
        with pytest.raises(ConfigError, match="it must be at least"):
            ray_engine(**options)


def test_workers_that_never_get_ready_end_the_batch():
    class Lost(Exception):
        pass

    def get(reference):
        raise Lost

    actor = SimpleNamespace(remote=lambda *_: SimpleNamespace(ready=SimpleNamespace(remote=object)))
    ray = SimpleNamespace(
        exceptions=SimpleNamespace(RayError=Lost),
        get=get,
        remote=lambda _: SimpleNamespace(options=lambda **_: actor),
        wait=lambda pending, **_: (pending, []),
    )
    pool = _Pool(ray, Slots(2, 1, 0), Path(), 0, None, None)
    with pytest.raises(ConfigError, match="10 workers in a row ended before they were ready"):
        list(pool.run([Job("one", JobConfig(content="a.png", style=("x.png",)))]))


def test_job_that_kills_its_workers_fails_alone(jobs, cluster, monkeypatch):
    class DyingWorker(Worker):
        def do(self, job, folder):
            if job.config.seed == 666:
                os._exit(1)  # like the system's out-of-memory killer
            return super().do(job, folder)

    jobs = jobs[:3]
    jobs[1] = Job(jobs[1].name, jobs[1].config.changed(seed=666))
    monkeypatch.setattr("nst_tf.jobs.on_ray.Worker", DyingWorker)
    engine = ray_engine(address=cluster.address, workers=1, retries=1)
    summary = run_batch(jobs, "out", engine=engine, say=None)
    states = [summary.outcomes[job.name].state for job in jobs]
    assert states == ["done", "failed", "done"]
    assert "its worker died 2 times" in summary.outcomes[jobs[1].name].reason


def test_more_processors_than_any_node_has_raises(jobs, cluster):
    engine = ray_engine(address=cluster.address, cpus=64)
    with pytest.raises(ConfigError, match="no node has more than"):
        run_batch(jobs, "out", engine=engine, say=None)


def test_lost_node_loses_no_job(jobs, cluster):
    counts = []

    def remove_node():
        counts.append(sum(has_checkpoint(job) for job in jobs))
        cluster.remove_node(cluster.workers[0], allow_graceful=False)

    thread = when(lambda: sum(map(has_checkpoint, jobs)) > 1, remove_node)
    engine = ray_engine(address=cluster.address)
    summary = run_batch(jobs, "out", engine=engine, say=print)
    thread.join()
    assert counts[0] > 0, "it was lost before a job was half done, or after all"
    summary_rows = rows("out")
    assert [row["name"] for row in summary_rows] == [job.name for job in jobs], "each exactly once"
    assert {row["state"] for row in summary_rows} == {"done"}
    assert max(outcome.attempts for outcome in summary.outcomes.values()) > 1
    run_batch(jobs, "here", say=None)
    assert_same_pictures("out", "here", jobs)
