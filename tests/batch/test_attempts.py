"""Jobs that end the process: noted, failed after two deaths without progress, and retried."""

import json
import os
import signal
import subprocess
import sys
from functools import partial

import pytest
from killing import HELPERS, in_child

from nst_tf.batch.attempts import NOTE, Attempts, Deaths
from nst_tf.batch.here import run_here
from nst_tf.batch.progress import Progress
from nst_tf.config import JobConfig
from nst_tf.errors import Interrupted
from nst_tf.jobs.do import failed
from nst_tf.jobs.job import DONE, Job, Outcome
from nst_tf.rundir.record import saved_iteration

KILLED = -signal.SIGKILL
INTERRUPTED = 1
JOBS = [Job(name, JobConfig()) for name in ("first", "deadly", "last")]


def die():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def attempt(tmp_path, monkeypatch):
    """Return a function that runs jobs in a child, in which `works[name]` is called for a job.

    It returns the exit status of the child and the outcomes by name.
    """

    def do_job(job, folder, callbacks):
        works.get(job.name, lambda: None)()
        return Outcome(job.name, DONE)

    def run():
        progress = Progress(JOBS, say=None)
        outcomes = {outcome.name: vars(outcome) for outcome in run_here(JOBS, tmp_path, progress)}
        (tmp_path / "outcomes").write_text(json.dumps(outcomes))

    def attempt(**given):
        works.clear()
        works.update(given)
        (tmp_path / "outcomes").unlink(missing_ok=True)
        status = in_child(run)
        return status, json.loads((tmp_path / "outcomes").read_text()) if status == 0 else {}

    works = {}
    monkeypatch.setattr("nst_tf.batch.here.do_job", do_job)
    return attempt


def states(outcomes):
    return [outcomes[job.name]["state"] for job in JOBS]


def save_checkpoint(folder, iteration):
    """Leave what `saved_iteration` reads of a run: its config and the name of a checkpoint."""
    folder.mkdir(exist_ok=True)
    JobConfig().save(folder / "config.json")
    (folder / f"checkpoint-{iteration:06d}.npz").write_bytes(b"")


def test_job_fails_after_two_deaths_and_the_next_one_begins(attempt, tmp_path):
    assert [attempt(deadly=die)[0] for _ in range(2)] == [KILLED] * 2
    status, outcomes = attempt(deadly=die)
    assert status == 0
    assert states(outcomes) == ["done", "failed", "done"]
    assert [outcomes[job.name]["attempts"] for job in JOBS] == [1, 2, 1]
    reason = outcomes["deadly"]["reason"]
    assert "died 2 times during this job, without progress since iteration 0; possible" in reason
    for advice in ("--size", "--memory-limit", "--resume retries"):
        assert advice in reason
    assert not (tmp_path / NOTE).exists()
    assert attempt(deadly=die)[0] == KILLED, "it is retried when the batch has ended"
    status, outcomes = attempt()
    assert (status, states(outcomes)) == (0, ["done"] * 3)
    assert outcomes["deadly"]["attempts"] == 2


def test_every_job_deadly_ends_after_two_deaths_each(attempt):
    deadly = dict.fromkeys((job.name for job in JOBS), die)
    statuses = [attempt(**deadly)[0] for _ in range(6)]
    assert statuses == [KILLED] * 6
    status, outcomes = attempt(**deadly)
    assert (status, states(outcomes)) == (0, ["failed"] * 3)


def test_progress_between_deaths_starts_the_count_anew(attempt, tmp_path):
    def advance_and_die(iteration):
        save_checkpoint(tmp_path / "deadly", iteration)
        die()

    for iteration in range(10, 60, 10):
        assert attempt(deadly=partial(advance_and_die, iteration))[0] == KILLED
    assert attempt(deadly=die)[0] == KILLED
    status, outcomes = attempt()
    assert status == 0
    assert states(outcomes) == ["done", "failed", "done"]
    assert "died 2 times" in outcomes["deadly"]["reason"]
    assert "since iteration 50" in outcomes["deadly"]["reason"]
    assert outcomes["deadly"]["attempts"] == 6


def test_saved_iteration_is_that_of_the_last_checkpoint_or_the_end(tmp_path):
    assert saved_iteration(tmp_path / "none") == 0
    assert saved_iteration(tmp_path) == 0
    JobConfig().save(tmp_path / "config.json")
    assert saved_iteration(tmp_path) == 0
    for iteration in (999_999, 1_000_000):
        save_checkpoint(tmp_path, iteration)
    assert saved_iteration(tmp_path) == 1_000_000
    journal = {"format": 1, "files": {}, "finished": {"iterations": 150}}
    (tmp_path / "journal.json").write_text(json.dumps(journal))
    assert saved_iteration(tmp_path) == 150


def test_progress_of_an_interrupted_attempt_counts(attempt, tmp_path):
    def advance_and_stop():
        save_checkpoint(tmp_path / "deadly", 10)
        raise KeyboardInterrupt

    statuses = [attempt(deadly=work)[0] for work in (die, advance_and_stop, die)]
    assert statuses == [KILLED, INTERRUPTED, KILLED]
    assert states(attempt()[1]) == ["done"] * 3


def stop():
    raise Interrupted(None, "Ctrl-C")


def full_disk():
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("work", [stop, full_disk])
def test_interruptions_are_no_deaths(attempt, work):
    assert [attempt(deadly=work)[0] for _ in range(3)] == [INTERRUPTED] * 3
    assert attempt(deadly=die)[0] == KILLED
    assert [attempt(deadly=work)[0] for _ in range(3)] == [INTERRUPTED] * 3
    status, outcomes = attempt()
    assert (status, states(outcomes)) == (0, ["done"] * 3)
    assert outcomes["deadly"]["attempts"] == 2


def test_deaths_are_kept_while_other_jobs_run(attempt):
    assert attempt(deadly=die)[0] == KILLED
    assert attempt(first=stop)[0] == INTERRUPTED
    assert attempt(first=die)[0] == KILLED
    assert attempt(deadly=die)[0] == KILLED
    assert states(attempt()[1]) == ["done", "failed", "done"]


def test_deaths_are_forgotten_when_the_job_ends(attempt, tmp_path, monkeypatch):
    assert attempt(deadly=die)[0] == KILLED
    monkeypatch.setattr("nst_tf.batch.here.do_job", lambda job, *_, **__: failed(job, "no file"))
    assert Attempts(tmp_path, JOBS).deaths == {"deadly": Deaths(total=1, stuck=1)}
    outcomes = run_here(JOBS, tmp_path, Progress(JOBS, say=None))
    assert [next(outcomes).attempts for _ in JOBS] == [1, 2, 1]
    assert Attempts(tmp_path, JOBS).deaths == {}


def test_damaged_note_is_as_good_as_none(tmp_path):
    note = tmp_path / NOTE
    good = json.dumps({"running": "deadly", "deaths": {"deadly": vars(Deaths(1, 1, 7))}})
    note.write_text(good)
    assert Attempts(tmp_path, JOBS).deaths == {"deadly": Deaths(total=2, stuck=2)}
    texts = [good[:length] for length in range(len(good))]
    texts += ["[]", "[" * 10_000, '{"running": [], "deaths": {}}', '{"running": "deadly"}']
    texts += ['{"running": "deadly", "deaths": []}']
    for entry in ("1", "[]", '{"total": 1, "more": 2}', '{"stuck": "2"}', '{"stuck": 1e999}'):
        texts.append(f'{{"running": "deadly", "deaths": {{"deadly": {entry}}}}}')
    for text in texts:
        note.write_text(text)
        assert Attempts(tmp_path, JOBS).deaths == {}, text
    note.write_bytes(b"\xff\0")
    assert Attempts(tmp_path, JOBS).deaths == {}
    note.write_text('{"running": "gone", "deaths": {"gone": {"stuck": 2}}}')
    assert Attempts(tmp_path, JOBS).deaths == {}, "not a job of this batch"


@pytest.mark.cluster
def test_real_job_that_kills_the_process_fails_alone(tmp_path):
    command = [sys.executable, str(HELPERS / "dying_batches.py"), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(HELPERS.parents[1])}
    process = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert process.returncode == 0, process.stderr[-3000:]
    found = json.loads(process.stdout.splitlines()[-1])
    stuck, advancing = found["stuck"], found["advancing"]
    assert stuck["statuses"] == [KILLED, 130, KILLED, 2, 0], "Ctrl-C is no death"
    assert stuck["states"] == ["done", "failed", "done"]
    assert "the process died 2 times during this job, without progress since" in stuck["reason"]
    assert stuck["attempts"] == "2"
    assert advancing["statuses"] == [KILLED, KILLED, 0]
    assert advancing["states"] == ["done"] * 3
    assert advancing["attempts"] == "3"
