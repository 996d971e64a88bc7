"""Checkpoints: a run that goes on ends as one that was never cut off, and nothing is half there."""

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
    """A callback that keeps the position of every iteration that has one."""

    look_every = 1

    def __init__(self):
        self.found = {}

    def __call__(self, step):
        position = step.position()
        if position is not None and not step.last:
            self.found[step.iteration] = position


def goes_on_alike(task, at_least, step=1):
    """Run a task, then go on from every `step`-th of its positions; return the positions."""
    positions = Positions()
    whole = minimize(task, callbacks=[positions])
    assert len(positions.found) >= at_least
    for iteration, position in list(positions.found.items())[::step]:
        again = minimize(task, position=position)
        assert again.image.tobytes() == whole.image.tobytes(), iteration
        assert again.history == whole.history, iteration
        assert again.seconds > position.seconds
    return positions.found


# ------------------------------------------------------------------ bit for bit


@pytest.mark.parametrize("name", RUNS)
def test_a_run_that_goes_on_ends_with_the_same_bits(tiny_model, name):
    task, levels = task_for(tiny_model, RUNS[name]), name.startswith("levels")
    found = goes_on_alike(task, 3 if name == "lbfgs" else 8, 7 if levels else 3)
    if levels:
        assert {position.level for position in found.values()} == {0, 1}


def test_so_does_one_that_steps_uphill(tiny_model, monkeypatch):
    # Far too long steps: some are undone, and the best image is not the last one.
    monkeypatch.setattr(LBFGS, "initial", with_long_first_step(LBFGS.initial))
    task = task_for(tiny_model, {"optimizer": "lbfgs-fixed", "clip": False, "tv_weight": 1.0})
    found = goes_on_alike(task, 8, step=3)
    firsts = [float(position.loop["first"]) for position in found.values()]
    assert min(firsts) < max(firsts), "no step undone"


def with_long_first_step(initial):
    return lambda self, image: {**initial(self, image), "first": np.float32(300)}


@pytest.mark.slow
def test_so_does_one_in_tiles(tiny_model):
    task = task_for(tiny_model, FAST, iterations=3)
    objective = TiledObjective(task.objective.model, task.objective.terms, task.size, 100 * 110)
    task = replace(task, objective=objective)
    goes_on_alike(task, 2, step=2)


def test_where_nobody_looks_only_the_end_of_a_call_can_be_gone_on_from(tiny_model):
    class Told(Positions):
        look_every = 0

    task = task_for(tiny_model, RUNS["adam"], iterations=40)
    told = Told()
    whole = minimize(task, callbacks=[told])
    assert 0 < len(told.found) < 40
    last = told.found[max(told.found)]
    assert minimize(task, position=last).image.tobytes() == whole.image.tobytes()


def test_through_a_file_too(tiny_model, tmp_path):
    task = task_for(tiny_model, RUNS["lbfgs-fixed"])
    positions = Positions()
    whole = minimize(task, callbacks=[positions])
    save_checkpoint(tmp_path, positions.found[6])
    again = minimize(task, position=latest_position(tmp_path))
    assert again.image.tobytes() == whole.image.tobytes()
    assert again.history == whole.history


# ------------------------------------------------------------------ files


def position_after(iterations):
    history = [{"content": 0.1 * i, "total": 1 / 3 + i} for i in range(iterations + 1)]
    image = np.random.default_rng(iterations).normal(size=(1, 4, 5, 3)).astype(np.float32)
    return Position(1, 7, {"image": image, "updates": np.asarray(iterations)}, history, 12.5)


def test_a_checkpoint_comes_back_as_it_was(tmp_path):
    position = position_after(3)
    path = save_checkpoint(tmp_path, position)
    assert path.name == "checkpoint-000003.npz"
    back = load_checkpoint(path)
    assert (back.level, back.done, back.seconds) == (1, 7, 12.5)
    assert back.history == position.history
    assert back.loop["image"].tobytes() == position.loop["image"].tobytes()
    assert [p.name for p in tmp_path.iterdir()] == [path.name], "nothing beside it"


def test_the_last_two_are_kept(tmp_path):
    for iterations in (3, 11, 1_000_000, 5):
        save_checkpoint(tmp_path, position_after(iterations))
    assert [p.name for p in checkpoints(tmp_path)] == [
        "checkpoint-000011.npz",
        "checkpoint-1000000.npz",
    ]


def test_a_damaged_one_is_told_and_the_one_before_is_taken(tmp_path):
    save_checkpoint(tmp_path, position_after(3))
    newest = save_checkpoint(tmp_path, position_after(5))
    whole, said = newest.read_bytes(), []
    for place in range(0, len(whole), 7):
        newest.write_bytes(whole[:place])
        assert len(latest_position(tmp_path, said.append).history) == 4, place
    assert all("is damaged" in line and "the previous one" in line for line in said)


def test_every_flipped_byte_is_noticed_or_does_no_harm(tmp_path):
    position = position_after(3)
    path = save_checkpoint(tmp_path, position)
    whole = path.read_bytes()
    noticed = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            back = load_checkpoint(path)
        except ConfigError:
            noticed += 1
        else:  # such as a date in the archive
            assert back.history == position.history
            assert back.loop["image"].tobytes() == position.loop["image"].tobytes()
    assert noticed > len(whole) / 2


def test_what_could_run_or_swell_is_refused(tmp_path):
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
    with zipfile.ZipFile(path, "w") as file:  # a header that promises more than any memory holds
        file.writestr("about.npy", huge_header())
    with pytest.raises(ConfigError, match=r"damaged|does not fit into memory"):
        load_checkpoint(path)


def huge_header():
    text = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }"
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize("name", ["adam", "lbfgs", "lbfgs-fixed"])
def test_a_checkpoint_that_lacks_what_the_loop_remembers_is_refused(tiny_model, name):
    task = task_for(tiny_model, RUNS[name])
    position = Position(0, 3, {"image": CONTENT}, [{"total": 1.0}] * 4, 1.0)
    with pytest.raises(ConfigError, match=r"the checkpoint is not what .* remove it"):
        minimize(task, position=position)


# ------------------------------------------------------------------ when


def test_checkpoints_are_saved_when_due_and_not_at_the_end(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("nst_tf.rundir.checkpoint.time.perf_counter", lambda: now[0])
    keep = Checkpoints(tmp_path, every=30)
    saved = []
    for iteration in range(1, 8):
        now[0] += 10
        keep(step_at(iteration, last=iteration == 7))
        saved.append(len(checkpoints(tmp_path)))
    assert saved == [0, 0, 1, 1, 1, 2, 2]


def step_at(iteration, last):
    return Step(
        iteration, 7, {"total": 1.0}, None, None, 1.0, last, lambda: position_after(iteration)
    )


def test_slow_ones_are_rarer(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("nst_tf.rundir.checkpoint.time.perf_counter", lambda: now[0])
    keep = Checkpoints(tmp_path, every=1)

    def slowly(*_):
        now[0] += 10

    monkeypatch.setattr("nst_tf.rundir.checkpoint.save_checkpoint", slowly)
    now[0] = 5.0
    keep(step_at(1, last=False))
    assert keep.due == 15 + 200, "ten seconds of saving are paid for by two hundred of painting"
