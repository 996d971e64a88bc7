"""Batches on a Ray cluster of three nodes, which Ray itself makes on one machine."""

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
from pathlib import Path

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

from nst_tf.batch.__main__ import main
from nst_tf.batch.lists import pairs
from nst_tf.batch.on_ray import HOME, Worker, ray_engine
from nst_tf.batch.whole import run_batch
from nst_tf.config import JobConfig
from nst_tf.errors import ConfigError
from nst_tf.jobs.job import Job
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
    """Return a cluster of three nodes."""
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


def same_pictures(one, other, jobs):
    for job in jobs:
        first, second = (
            np.asarray(Image.open(Path(folder, job.name, "result.png"))) for folder in (one, other)
        )
        np.testing.assert_array_equal(first, second, err_msg=job.name)


def when(condition, then, seconds=60):
    """Do something in a thread as soon as a condition holds."""

    def wait():
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            time.sleep(0.02)
        then()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def half_done(job):
    folder = Path("out") / job.name
    return folder.is_dir() and bool(checkpoints(folder))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_driver_is_stopped_and_gone_on_with(jobs, photos, number):
    jobs = jobs[:4]
    Path("jobs.json").write_text(
        json.dumps({"jobs": [{"name": job.name, **asdict(job.config)} for job in jobs]})
    )
    command = [sys.executable, "-m", "nst_tf.batch"]
    surroundings = {**os.environ, "PYTHONPATH": str(HOME)}
    how = {"env": surroundings, "text": True, "stderr": subprocess.PIPE}
    ray_ = ["--engine", "ray", "--workers", "1"]
    driver = subprocess.Popen([*command, "jobs.json", "--output", "out", *ray_], **how)
    when(lambda: sum(map(half_done, jobs)), lambda: driver.send_signal(number)).join()
    said = driver.communicate(timeout=120)[1]
    if number != signal.SIGKILL:
        assert driver.returncode == 128 + number, said
        assert "`python -m nst_tf.batch --resume out` resumes" in said
        assert "Traceback" not in said
    ended = subprocess.run([*command, "--resume", "out", *ray_], check=False, **how)
    assert ended.returncode == 0, ended.stderr
    assert [row["state"] for row in rows("out")] == ["done"] * len(jobs)
    run_batch(jobs, "here", say=None)
    same_pictures("out", "here", jobs)


# ------------------------------------------------------------------ without a cluster


def test_numbers_that_can_not_be_are_refused():
    for how in ({"workers": 0}, {"cpus": 0}, {"retries": -1}):
        with pytest.raises(ConfigError, match="it must be at least"):
            ray_engine(**how)


def test_a_cluster_that_does_not_answer_is_told(jobs, capsys):
    args = ["--content", "a.png", "--style", "x.png", "--output", "out", "--engine", "ray"]
    for address in ("auto", "127.0.0.1:1", "127.0.0.1:99999", "no.such.host.invalid:6379"):
        assert main([*args, "--address", address]) == 2
        said = capsys.readouterr().err
        assert f"no Ray cluster answers at {address}" in said
        assert len(said.splitlines()) == 1
        shutil.rmtree("out")


def test_a_job_that_kills_its_workers_is_given_up_and_the_others_are_done(
    jobs, cluster, monkeypatch
):
    class Deadly(Worker):
        def do(self, job, folder):
            if job.config.seed == 666:
                os._exit(1)  # what stands for the system's hand when memory runs out
            return super().do(job, folder)

    jobs = jobs[:3]
    jobs[1] = Job(jobs[1].name, jobs[1].config.changed(seed=666))
    monkeypatch.setattr("nst_tf.batch.on_ray.Worker", Deadly)
    engine = ray_engine(address=cluster.address, workers=1, retries=1)
    summary = run_batch(jobs, "out", engine=engine, say=None)
    states = [summary.outcomes[job.name].state for job in jobs]
    assert states == ["done", "failed", "done"]
    assert "its worker died 2 times" in summary.outcomes[jobs[1].name].reason


def test_more_processors_than_a_node_has_are_refused(jobs, cluster):
    engine = ray_engine(address=cluster.address, cpus=64)
    with pytest.raises(ConfigError, match="no node has more than"):
        run_batch(jobs, "out", engine=engine, say=None)


def test_a_node_is_lost_in_the_middle_and_nothing_else(jobs, cluster):
    lost = []

    def lose():
        lost.append(sum(half_done(job) for job in jobs))
        cluster.remove_node(cluster.workers[0], allow_graceful=False)

    thread = when(lambda: sum(map(half_done, jobs)) > 1, lose)
    engine = ray_engine(address=cluster.address)
    summary = run_batch(jobs, "out", engine=engine, say=print)
    thread.join()
    assert lost[0] > 0, "it was lost before a job was half done, or after all"
    found = rows("out")
    assert [row["name"] for row in found] == [job.name for job in jobs], "each exactly once"
    assert {row["state"] for row in found} == {"done"}
    assert max(outcome.attempts for outcome in summary.outcomes.values()) > 1
    run_batch(jobs, "here", say=None)
    same_pictures("out", "here", jobs)
