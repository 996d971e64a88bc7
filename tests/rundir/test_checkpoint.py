"""Checkpoints: resumed runs match uninterrupted ones, and damaged files are rejected."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from pictures import make_picture

from nst_tf import ConfigError, TransferConfig
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.optim import LBFGS, scipy_lbfgs
from nst_tf.rundir.checkpoint import (
    Checkpoints,
    checkpoints,
    latest_position,
    load_checkpoint,
    save_checkpoint,
)
from nst_tf.scaling.tiling import TiledObjective
from nst_tf.transfer import Position, Step, make_task, minimize

CONTENT = VGG_PIXELS.to_image(make_picture(40, 52))
STYLE = VGG_PIXELS.to_image(make_picture(44, 39, seed=1))
LARGE = VGG_PIXELS.to_image(make_picture(220, 280))
SHALLOW = {"content_layers": ("conv2_1",), "style_layers": ("conv1_1", "conv2_1")}
FAST = {"schedule": "fast", "unit": "relative", "alpha": 1.0, "beta": 8.0, "tv_weight": 1.0}

RUNS = {
    "adam": {"optimizer": "adam", "decay": "cosine"},
    "sgd": {"optimizer": "sgd", "learning_rate": 1e-4},
    "lbfgs": {"optimizer": "lbfgs"},
    "lbfgs-fixed": {"optimizer": "lbfgs-fixed", "history": 3},
    "levels": FAST,
    "levels-adam": {**FAST, "optimizer": "adam"},
}


@pytest.fixture(autouse=True)
def short_searches(monkeypatch):
    monkeypatch.setattr(scipy_lbfgs, "SEARCH", 4)


def task_for(model, knobs, iterations=11):
    content = LARGE if knobs.get("schedule") else CONTENT
    config = TransferConfig(iterations=iterations, **SHALLOW).changed(**knobs)
    return make_task(content, STYLE, model, config=config)


class Positions:
    """A callback that stores the position of every iteration that has one."""

    look_every = 1

    def __init__(self):
        self.found = {}

    def __call__(self, step):
        position = step.position()
        if position is not None and not step.last:
            self.found[step.iteration] = position


def check_resumed_runs(task, at_least, step=1):
    """Run a task, resume it from every `step`-th position and compare; return the positions."""
    positions = Positions()
    whole = minimize(task, callbacks=[positions])
    assert len(positions.found) >= at_least
    for iteration, position in list(positions.found.items())[::step]:
        resumed = minimize(task, position=position)
        assert resumed.image.tobytes() == whole.image.tobytes(), iteration
        assert resumed.history == whole.history, iteration
        assert resumed.seconds > position.seconds
    return positions.found


# ------------------------------------------------------------------ bit for bit


@pytest.mark.parametrize("name", RUNS)
def test_resumed_run_is_bit_identical(tiny_model, name):
    task, levels = task_for(tiny_model, RUNS[name]), name.startswith("levels")
    found = check_resumed_runs(task, 3 if name == "lbfgs" else 8, 7 if levels else 3)
    if levels:
        assert {position.level for position in found.values()} == {0, 1}


def test_resumed_run_with_undone_steps_is_bit_identical(tiny_model, monkeypatch):
    # The first step is far too long: some steps are undone, and the best image is not the last.
    monkeypatch.setattr(LBFGS, "initial", with_long_first_step(LBFGS.initial))
    task = task_for(tiny_model, {"optimizer": "lbfgs-fixed", "clip": False, "tv_weight": 1.0})
    found = check_resumed_runs(task, 8, step=3)
    firsts = [float(position.loop["first"]) for position in found.values()]
    assert min(firsts) < max(firsts), "no step undone"


def with_long_first_step(initial):
    return lambda self, image: {**initial(self, image), "first": np.float32(300)}


@pytest.mark.slow
def test_resumed_run_in_tiles_is_bit_identical(tiny_model):
    task = task_for(tiny_model, FAST, iterations=3)
    objective = TiledObjective(task.objective.model, task.objective.terms, task.size, 100 * 110)
    task = replace(task, objective=objective)
    check_resumed_runs(task, 2, step=2)


def test_unobserved_run_is_resumable_at_the_end_of_a_call(tiny_model):
    class UnobservedPositions(Positions):
        look_every = 0

    task = task_for(tiny_model, RUNS["adam"], iterations=40)
    positions = UnobservedPositions()
    whole = minimize(task, callbacks=[positions])
    assert 0 < len(positions.found) < 40
    last = positions.found[max(positions.found)]
    assert minimize(task, position=last).image.tobytes() == whole.image.tobytes()


def test_resume_from_a_saved_checkpoint(tiny_model, tmp_path):
    task = task_for(tiny_model, RUNS["lbfgs-fixed"])
    positions = Positions()
    whole = minimize(task, callbacks=[positions])
    save_checkpoint(tmp_path, positions.found[6])
    resumed = minimize(task, position=latest_position(tmp_path))
    assert resumed.image.tobytes() == whole.image.tobytes()
    assert resumed.history == whole.history


# ------------------------------------------------------------------ files


def position_after(iterations):
    history = [{"content": 0.1 * i, "total": 1 / 3 + i} for i in range(iterations + 1)]
    image = np.random.default_rng(iterations).normal(size=(1, 4, 5, 3)).astype(np.float32)
    return Position(1, 7, {"image": image, "updates": np.asarray(iterations)}, history, 12.5)


def test_checkpoint_round_trip(tmp_path):
    position = position_after(3)
    path = save_checkpoint(tmp_path, position)
    assert path.name == "checkpoint-000003.npz"
    loaded = load_checkpoint(path)
    assert (loaded.level, loaded.done, loaded.seconds) == (1, 7, 12.5)
    assert loaded.history == position.history
    assert loaded.loop["image"].tobytes() == position.loop["image"].tobytes()
    assert [p.name for p in tmp_path.iterdir()] == [path.name], "nothing else"


def test_last_two_checkpoints_are_kept(tmp_path):
    for iterations in (3, 11, 1_000_000, 5):
        save_checkpoint(tmp_path, position_after(iterations))
    assert [p.name for p in checkpoints(tmp_path)] == [
        "checkpoint-000011.npz",
        "checkpoint-1000000.npz",
    ]


def test_damaged_checkpoint_falls_back_to_the_previous_one(tmp_path):
    save_checkpoint(tmp_path, position_after(3))
    newest = save_checkpoint(tmp_path, position_after(5))
    whole, messages = newest.read_bytes(), []
    for place in range(0, len(whole), 7):
        newest.write_bytes(whole[:place])
        assert len(latest_position(tmp_path, messages.append).history) == 4, place
    assert all("is damaged" in line and "the previous one" in line for line in messages)


def test_flipped_byte_is_detected_or_harmless(tmp_path):
    position = position_after(3)
    path = save_checkpoint(tmp_path, position)
    whole = path.read_bytes()
    detected = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            loaded = load_checkpoint(path)
        except ConfigError:
            detected += 1
        else:  # for example in a date in the archive
            assert loaded.history == position.history
            assert loaded.loop["image"].tobytes() == position.loop["image"].tobytes()
    assert detected > len(whole) / 2


def test_unsafe_or_invalid_checkpoint_raises(tmp_path):
    path = tmp_path / "checkpoint-000001.npz"
    np.savez(path, about=np.array([object()], dtype=object))
    with pytest.raises(ConfigError, match="damaged"):
        load_checkpoint(path)
    np.savez_compressed(path, zeros=np.zeros(10**6))
    with pytest.raises(ConfigError, match="compressed"):
        load_checkpoint(path)
    about = np.frombuffer(json.dumps({"format": 9}).encode(), "u1")
    np.savez(path, about=about)
    with pytest.raises(ConfigError, match="has format 9; format 2 was expected"):
        load_checkpoint(path)
    with zipfile.ZipFile(path, "w") as file:  # a header that claims more than fits into memory
        file.writestr("about.npy", huge_header())
    with pytest.raises(ConfigError, match=r"damaged|does not fit into memory"):
        load_checkpoint(path)


def huge_header():
    text = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }"
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize("name", ["adam", "lbfgs", "lbfgs-fixed"])
def test_checkpoint_without_optimizer_state_raises(tiny_model, name):
    task = task_for(tiny_model, RUNS[name])
    position = Position(0, 3, {"image": CONTENT}, [{"total": 1.0}] * 4, 1.0)
    with pytest.raises(ConfigError, match=r"the checkpoint is not what .* remove it"):
        minimize(task, position=position)


# ------------------------------------------------------------------ intervals


def test_checkpoints_are_saved_when_due_and_not_at_the_end(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("nst_tf.rundir.checkpoint.time.perf_counter", lambda: now[0])
    callback = Checkpoints(tmp_path, every=30)
    saved = []
    for iteration in range(1, 8):
        now[0] += 10
        callback(step_at(iteration, last=iteration == 7))
        saved.append(len(checkpoints(tmp_path)))
    assert saved == [0, 0, 1, 1, 1, 2, 2]


def step_at(iteration, last):
    return Step(
        iteration, 7, {"total": 1.0}, None, None, 1.0, last, lambda: position_after(iteration)
    )


def test_slow_checkpoints_are_saved_less_often(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("nst_tf.rundir.checkpoint.time.perf_counter", lambda: now[0])
    callback = Checkpoints(tmp_path, every=1)

    def save_slowly(*_):
        now[0] += 10

    monkeypatch.setattr("nst_tf.rundir.checkpoint.save_checkpoint", save_slowly)
    now[0] = 5.0
    callback(step_at(1, last=False))
    assert callback.due == 15 + 200, "ten seconds of saving are paid for by two hundred of painting"
