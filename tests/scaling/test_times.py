"""The time left of a run, learned from its steps."""

import random
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from pictures import make_picture

from nst_tf.scaling.levels import Level, make_levels, work_left
from nst_tf.scaling.times import TimeLeft, in_range
from nst_tf.schedules import SCHEDULES
from nst_tf.transfer import Step, style_transfer

PIXEL = 2e-6  # seconds of an update
LEVELS = make_levels("fast", (452, 680), 200)  # the default job
LARGE = make_levels("fast", (1080, 1920), 200)
ONE = [Level((480, 640), 500)]
TRACES = {
    "steady": (LEVELS, {}),
    "coarse levels are slow": (LEVELS, {"paces": [1.4, 1.15, 1.0]}),
    "fine levels are slow": (LEVELS, {"paces": [0.75, 0.9, 1.0]}),
    "slow first calls": (LEVELS, {"tracing": 2.0, "begin": 1.0}),
    "large": (LARGE, {"paces": [1.4, 1.2, 1.1, 1.0, 1.0][: len(LARGE)], "begin": 2.0}),
    "many updates a call": (LEVELS, {"calls": (1, 2, 4, 8), "noise": 0.3}),
    "a busy machine": (LEVELS, {"noise": 0.6, "tracing": 1.0}),
    "one level": (ONE, {"noise": 0.5, "tracing": 5.0}),
}


def run(levels, *, paces=None, tracing=0.0, begin=0.0, noise=0.0, calls=(1,)):
    """Yield the steps of a run on a fake clock.

    Parameters
    ----------
    levels : list of Level
    paces : list of float, optional
        Time of an update by level, as a multiple of `PIXEL` seconds a pixel.
    tracing, begin : float
        Seconds that the first update of a level takes longer, and before its first losses.
    noise : float
        By how much an update may take longer or shorter, as a fraction.
    calls : sequence of int
        Updates of the first calls; the last number is that of all others.
    """
    chance, clock, done = random.Random(0), 0.0, 0
    for level, pace in zip(levels, paces or [1.0] * len(levels)):
        clock += begin
        yield a_step(levels, done, clock)
        sizes, made = list(calls), 0
        while made < level.iterations:
            count = min(sizes[0], level.iterations - made)
            sizes = sizes[1:] or sizes
            before = clock
            clock += 0 if made else tracing
            for _ in range(count):
                pixels = level.size[0] * level.size[1]
                clock += PIXEL * pixels * pace * (1 + chance.uniform(-noise, noise))
            for update in range(1, count + 1):
                if made + update < level.iterations or level is levels[-1]:
                    seconds = before + (clock - before) * update / count
                    yield a_step(levels, done + made + update, seconds)
            made += count
        done += level.iterations


def a_step(levels, iteration, seconds):
    """Return a step of a run with these levels."""
    iterations = sum(level.iterations for level in levels)
    last = iteration == iterations
    return Step(iteration, iterations, {}, None, None, seconds, last, levels=levels)


def errors(steps):
    """Return (elapsed fraction, error as a factor, text) of the estimate at each step."""
    left, steps = TimeLeft(), list(steps)
    whole = steps[-1].seconds
    for step in steps[:-1]:
        text, remaining = left(step), whole - step.seconds
        if left.seconds is not None:
            factor = max(left.seconds / remaining, remaining / left.seconds)
            yield step.seconds / whole, factor, text


@pytest.mark.parametrize("name", TRACES)
def test_time_left_is_within_a_factor_of_one_and_a_half(name):
    levels, given = TRACES[name]
    told = list(errors(run(levels, **given)))
    assert max(factor for elapsed, factor, _ in told if 0.1 <= elapsed <= 0.98) < 1.5
    assert min(elapsed for elapsed, _, _ in told) < 0.1


@pytest.mark.parametrize("name", TRACES)
def test_time_left_falls_without_jumps(name):
    """Between two steps it rises by no more than a fifth of itself once it is known."""
    levels, given = TRACES[name]
    left, before = TimeLeft(), None
    for step in run(levels, **given):
        known, earlier = left.known, left.seconds
        left(step)
        if known and left.known and earlier > 5:
            assert 0.8 * earlier - 1 < left.seconds + (step.seconds - before) < 1.2 * earlier + 1
        before = step.seconds


def test_nothing_is_told_before_two_updates_and_a_range_after_them():
    left = TimeLeft()
    steps = list(run(LEVELS, tracing=5.0))
    assert left(steps[0]) == left(steps[1]) == ""
    assert re.fullmatch(r"0:\d\d to 1:\d\d left", left(steps[2]))
    *_, text = map(left, steps[3:10])
    assert re.fullmatch(r"0:\d\d left", text)


def test_a_range_is_told_at_the_beginning_of_each_level():
    texts = {step.iteration: text for step, text in told(run(LEVELS, tracing=3.0))}
    begins = [LEVELS[0].iterations, LEVELS[0].iterations + LEVELS[1].iterations]
    for begin in begins:
        assert [" to " in texts[begin + made] for made in range(5)] == [True] * 4 + [False]
        assert " to " not in texts[begin - 1]


def told(steps):
    """Yield each step with the estimate at it."""
    left = TimeLeft()
    for step in steps:
        yield step, left(step)


def test_resumed_run_begins_with_its_average_and_then_learns():
    everything = list(run(LEVELS))
    rest = everything[60:]
    left = TimeLeft()
    assert " to " not in left(rest[0])  # seconds of the checkpoint: the pause is not in them
    whole = everything[-1].seconds
    assert left.seconds == pytest.approx(whole - rest[0].seconds, rel=0.1)
    # Resumed on a machine that takes twice as long:
    slower = [
        a_step(LEVELS, step.iteration, 2 * step.seconds - rest[0].seconds) for step in rest[1:10]
    ]
    for step in slower:
        left(step)
    assert left.seconds == pytest.approx(2 * (whole - rest[9].seconds), rel=0.1)


def test_another_run_begins_anew():
    left = TimeLeft()
    for step in run(LEVELS):
        left(step)
    assert left(a_step(LEVELS, 0, 1.0)) == ""


def test_the_end_of_a_run_that_converged_is_zero():
    left = TimeLeft()
    left(a_step(ONE, 0, 1.0))
    converged = Step(20, 500, {}, True, None, 9.0, True, levels=ONE)
    assert left(converged) == "0:00 left"


def test_ranges_are_in_rounded_numbers():
    assert in_range(0.2) == "0:00"
    assert in_range(10) == "0:08 to 0:12"
    assert in_range(60) == "0:50 to 1:20"
    assert in_range(250) == "3:20 to 5:10"
    assert in_range(3600) == "48:00 to 1:15:00"


def test_steps_of_a_run_tell_its_levels_and_times(tiny_model, monkeypatch):
    small = replace(SCHEDULES["fast"], coarsest=40 * 40)
    monkeypatch.setitem(SCHEDULES, "fast", small)
    monkeypatch.setattr("nst_tf.transfer.TICK", 100.0)  # seconds: several updates in a call
    image = tiny_model.space.to_image(make_picture(56, 58))
    seen = []

    def see(step):
        seen.append(step)

    see.look_every = 0
    knobs = {"iterations": 20, "schedule": "fast", "unit": "relative"}
    style_transfer(image, image, tiny_model, **knobs, callbacks=see)
    assert [level.iterations for level in seen[0].levels] == [12, 8]
    assert any(step.image is None for step in seen)
    assert all(one.seconds < later.seconds for one, later in pairwise(seen))
    assert 0.4 < seen[12].share < 0.5
    assert seen[-1].share == 1


def test_work_left_counts_pixels_and_the_beginnings_of_levels():
    levels = [Level((2, 3), 10), Level((4, 6), 5)]
    left = [work_left(levels, iteration) for iteration in (0, 4, 10, 12, 15)]
    assert left == [60 + 24 * 7, 36 + 24 * 7, 24 * 5, 24 * 3, 0]
