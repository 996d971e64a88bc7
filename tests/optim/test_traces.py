"""Traced functions are reused for other pictures and sizes without changing the result."""

import numpy as np
import pytest
import tensorflow as tf
from objectives import forget_traces
from pictures import make_picture

from nst_tf import Style, TransferConfig, interpolate_styles, style_transfer
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.optim import descent
from nst_tf.optim.descent import losses_and_gradient

FIRST, SECOND, BRUSH, PEN = (VGG_PIXELS.to_image(make_picture(48, 64, seed=n)) for n in range(4))
MASK = np.linspace(0, 1, 48 * 64).reshape(48, 64)


def transfer(model, content, style, **knobs):
    """Return the image and the total losses of a short run."""
    config = TransferConfig().changed(**{"iterations": 4, "unit": "relative", **knobs})
    result = style_transfer(content, style, model, config=config)
    return result.image, [losses["total"] for losses in result.history]


@pytest.fixture
def traced(monkeypatch):
    """Yield a list that grows with each trace of losses and gradient."""
    traces = []

    def counting(*args):
        traces.append(1)
        return losses_and_gradient(*args)

    monkeypatch.setattr(descent, "losses_and_gradient", counting)
    forget_traces()
    yield traces
    forget_traces()


@pytest.mark.parametrize(
    "knobs",
    [
        {"optimizer": "adam", "decay": "cosine"},
        {"optimizer": "sgd", "learning_rate": 1e-3},
        {"optimizer": "lbfgs"},
        {"optimizer": "lbfgs-fixed"},
        {"optimizer": "lbfgs-fixed", "method": "wasserstein"},
        {"optimizer": "lbfgs-fixed", "unit": "paper", "content_scale": "mean"},
        {"schedule": "fast", "iterations": 9},
    ],
)
def test_another_pair_reuses_the_trace_with_the_same_result(tiny_model, traced, knobs):
    transfer(tiny_model, FIRST, BRUSH, **knobs)
    count = len(traced)
    image, losses = transfer(tiny_model, SECOND, PEN, **{**knobs, "alpha": 3.0})
    assert len(traced) == count
    forget_traces()
    fresh, fresh_losses = transfer(tiny_model, SECOND, PEN, **{**knobs, "alpha": 3.0})
    assert len(traced) == 2 * count
    np.testing.assert_array_equal(image, fresh)
    assert losses == fresh_losses


@pytest.mark.parametrize(
    "other",
    [
        {"size": (40, 56)},
        {"iterations": 5},
        {"learning_rate": 3.0, "optimizer": "adam"},
        {"decay_rate": 0.5, "optimizer": "adam", "decay": "exponential"},
        {"alpha": 7.0, "beta": 0.5, "tv_weight": 2.0},
    ],
)
def test_another_size_or_number_does_not_retrace(tiny_model, traced, other):
    height, width = other.pop("size", (48, 64))
    shared = {name: other[name] for name in ("optimizer", "decay") if name in other}
    transfer(tiny_model, FIRST, BRUSH, **shared)
    count = len(traced)
    transfer(tiny_model, SECOND[:, :height, :width], PEN[:, :height], **other)
    assert len(traced) == count


def test_levels_of_a_run_share_a_trace(tiny_model, traced):
    large = VGG_PIXELS.to_image(make_picture(300, 400))
    transfer(tiny_model, FIRST, BRUSH, schedule="fast")
    count = len(traced)
    transfer(tiny_model, large, large[:, ::-1], schedule="fast", iterations=6)
    assert len(traced) == count


@pytest.mark.parametrize("method", ["moments", "wasserstein"])
def test_pictures_between_two_styles_share_a_trace(tiny_model, traced, method):
    knobs = {"iterations": 2, "unit": "relative", "method": method}
    transfer(tiny_model, FIRST, BRUSH, method=method, blend="geodesic")
    count = len(traced)
    interpolate_styles(FIRST, BRUSH, PEN, tiny_model, 3, **knobs)
    assert len(traced) == count


@pytest.mark.slow
@pytest.mark.parametrize(
    ("other", "retraced"),
    [
        ({"method": "moments"}, True),
        ({"beta": 0}, True),
        ({"style_layers": ("conv1_1", "conv2_1")}, True),
        ({"tv_form": "absolute", "unit": "paper"}, True),
        ({"optimizer": "adam"}, False),
        ({"clip": False}, False),
    ],
)
def test_other_losses_retrace_and_other_optimizers_do_not(tiny_model, traced, other, retraced):
    knobs = {"optimizer": "lbfgs-fixed"}
    transfer(tiny_model, FIRST, BRUSH, **knobs)
    count = len(traced)
    image, _ = transfer(tiny_model, FIRST, BRUSH, **{**knobs, **other})
    assert (len(traced) > count) == retraced
    forget_traces()
    fresh, _ = transfer(tiny_model, FIRST, BRUSH, **{**knobs, **other})
    np.testing.assert_array_equal(image, fresh)


@pytest.mark.slow
def test_masks_and_blends_do_not_affect_later_runs(tiny_model):
    styles = {
        "one": BRUSH,
        "blended": [Style(BRUSH), Style(PEN, 3.0)],
        "masked": [Style(BRUSH, mask=MASK), Style(PEN, mask=1 - MASK)],
        "masked other": [Style(PEN, mask=1 - MASK), Style(BRUSH, 2.0, mask=MASK)],
        "one more": PEN,
    }
    cached = {name: transfer(tiny_model, FIRST, style)[0] for name, style in styles.items()}
    for name, style in styles.items():
        forget_traces()
        fresh = transfer(tiny_model, FIRST, style)[0]
        np.testing.assert_array_equal(cached[name], fresh, err_msg=name)


@pytest.mark.slow
def test_another_trunk_or_precision_retraces(tiny_model, traced):
    transfer(tiny_model, FIRST, BRUSH)
    count = len(traced)
    transfer(tiny_model.with_edges(), FIRST, BRUSH)
    assert len(traced) == 2 * count
    assert tiny_model.computing_in(tf.float32) is tiny_model
    assert tiny_model.computing_in(tf.bfloat16) is tiny_model.computing_in(tf.bfloat16)
