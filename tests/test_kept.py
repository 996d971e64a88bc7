"""What is kept from one picture to the next changes nothing but the time."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import make_picture

from nst_tf import Style
from nst_tf.config import TransferConfig
from nst_tf.images import VGG_PIXELS
from nst_tf.kept import Kept
from nst_tf.tasks import make_task
from nst_tf.transfer import paint

FIRST, SECOND, BRUSH, PEN = (VGG_PIXELS.to_image(make_picture(48, 64, seed=n)) for n in range(4))
MASK = np.linspace(0, 1, 48 * 64).reshape(48, 64)


def picture(model, content, style, kept=None, **knobs):
    """Return the picture before rounding, and its losses."""
    config = TransferConfig().changed(**{"iterations": 4, "unit": "relative", **knobs})
    result = paint(make_task(content, style, model, content, config), kept=kept)
    return result.image, [losses["total"] for losses in result.history]


@pytest.fixture
def traced(monkeypatch):
    """Return a list that grows with each loop that is traced."""
    names = []
    for name in ("_losses_and_gradient", "_make_update"):
        make = getattr(__import__("nst_tf.optimizers", fromlist=[name]), name)

        def counted(*args, make=make, name=name):
            names.append(name)
            return make(*args)

        monkeypatch.setattr(f"nst_tf.optimizers.{name}", counted)
    return names


@pytest.mark.parametrize(
    "knobs",
    [
        {"optimizer": "adam", "decay": "cosine"},
        {"optimizer": "sgd", "learning_rate": 1e-3},
        {"optimizer": "lbfgs"},
        {"optimizer": "lbfgs-fixed"},
        {"optimizer": "lbfgs-fixed", "statistic": "wasserstein"},
        {"optimizer": "lbfgs-fixed", "unit": "paper", "content_scale": "mean"},
        {"schedule": "fast", "iterations": 9},
    ],
)
def test_another_pair_gives_what_it_gives_alone_and_nothing_is_traced(tiny_model, traced, knobs):
    kept = Kept(32)
    picture(tiny_model, FIRST, BRUSH, kept, **knobs)
    count = len(traced)
    image, losses = picture(tiny_model, SECOND, PEN, kept, alpha=3.0, **knobs)
    assert len(traced) == count
    alone, alone_losses = picture(tiny_model, SECOND, PEN, alpha=3.0, **knobs)
    assert len(traced) == 2 * count
    np.testing.assert_array_equal(image, alone)
    assert losses == alone_losses


@pytest.mark.slow
@pytest.mark.parametrize(
    "other",
    [
        {"iterations": 5},
        {"statistic": "moments"},
        {"beta": 0},
        {"style_layers": ("conv1_1", "conv2_1")},
        {"optimizer": "adam"},
        {"tv_form": "absolute", "unit": "paper"},
    ],
)
def test_other_settings_are_traced_anew(tiny_model, traced, other):
    kept = Kept(32)
    knobs = {"optimizer": "lbfgs-fixed"}
    picture(tiny_model, FIRST, BRUSH, kept, **knobs)
    count = len(traced)
    image, _ = picture(tiny_model, FIRST, BRUSH, kept, **{**knobs, **other})
    assert len(traced) == count + 1
    alone, _ = picture(tiny_model, FIRST, BRUSH, **{**knobs, **other})
    np.testing.assert_array_equal(image, alone)


@pytest.mark.slow
def test_masks_and_blends_are_told_apart(tiny_model):
    kept = Kept(32)
    styles = {
        "one": BRUSH,
        "blended": [Style(BRUSH), Style(PEN, 3.0)],
        "masked": [Style(BRUSH, mask=MASK), Style(PEN, mask=1 - MASK)],
        "masked other": [Style(PEN, mask=1 - MASK), Style(BRUSH, 2.0, mask=MASK)],
        "one more": PEN,
    }
    for name, style in styles.items():
        image, _ = picture(tiny_model, FIRST, style, kept)
        np.testing.assert_array_equal(image, picture(tiny_model, FIRST, style)[0], err_msg=name)


@pytest.mark.slow
def test_another_size_trunk_or_precision_is_traced_anew(tiny_model, traced):
    kept = Kept(32)
    picture(tiny_model, FIRST, BRUSH, kept)
    picture(tiny_model, FIRST[:, :40], BRUSH, kept)
    assert len(traced) == 2
    picture(tiny_model.with_edges(), FIRST, BRUSH, kept)
    assert len(traced) == 3
    assert tiny_model.computing_in(tf.float32) is tiny_model
    assert tiny_model.computing_in(tf.bfloat16) is tiny_model.computing_in(tf.bfloat16)


def test_a_large_picture_is_not_kept(tiny_model, traced, monkeypatch):
    monkeypatch.setattr("nst_tf.descent.WORTH_KEEPING", 48 * 64 - 1)
    kept = Kept(32)
    for _ in range(2):
        picture(tiny_model, FIRST, BRUSH, kept)
    assert len(traced) == 2
    assert not kept.things


def test_the_last_used_are_kept():
    kept, made = Kept(2), []

    def get(key):
        return kept.get(key, lambda: made.append(key) or key)

    assert [get(key) for key in "abacab"] == list("abacab")
    assert made == list("abcb")
    assert Kept().get("a", lambda: 1) == 1
