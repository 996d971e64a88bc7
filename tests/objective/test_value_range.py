"""The penalty on values out of range: its formula, its place in runs, and what refuses it."""

import csv

import numpy as np
import pytest
from pictures import make_picture

from nst_tf import ConfigError, JobConfig, TransferConfig, style_transfer
from nst_tf.image.pixels import UNIT_PIXELS, VGG_PIXELS
from nst_tf.objective.value_range import value_range_loss
from nst_tf.rundir.losses_csv import LossLog, read_losses
from nst_tf.transfer import loss_terms

KEPT = ["total", "content", "style"]
SHALLOW = {"content_layers": ("conv1_2",), "style_layers": ("conv1_1",)}


@pytest.mark.parametrize("space", [VGG_PIXELS, UNIT_PIXELS])
def test_value_range_loss_is_that_of_pystiche_in_any_pixel_space(space):
    unit = np.random.default_rng(0).uniform(-1, 2, (1, 5, 7, 3))
    theirs = np.mean(np.maximum(np.sinh(unit) * np.sinh(unit - 1), 0))
    image = space.to_image(255 * unit[0])
    np.testing.assert_allclose(value_range_loss(image, space), theirs, rtol=1e-5)
    inside = space.to_image(np.linspace(0, 255, 60).reshape(4, 5, 3))
    np.testing.assert_allclose(value_range_loss(inside, space), 0, atol=1e-6)


def test_value_range_keeps_an_unclipped_run_in_range(tiny_model):
    space = tiny_model.space
    content, style = space.to_image(make_picture(24, 31)), space.to_image(make_picture(20, 26))
    knobs = {**SHALLOW, "unit": "relative", "iterations": 20, "clip": False, "alpha": 0.0}
    outside = []
    for weight in (0.0, 100.0):
        result = style_transfer(
            content, 2 * style, tiny_model, init_image=2 * content, range_weight=weight, **knobs
        )
        black, white = space.bounds
        outside.append(np.mean(np.maximum(result.image - white, black - result.image).clip(0)))
        assert ("range" in result.history[-1]) == bool(weight)
    assert outside[1] < 0.5 * outside[0]
    losses, weights = result.history[-1], {"style": 1.0, "tv": 2.5e-7, "range": 100.0}
    total = sum(weights[name] * losses[name] for name in weights)
    np.testing.assert_allclose(losses["total"], total, rtol=1e-5)


def test_weight_0_has_no_term(tiny_model):
    names = [term.name for term in loss_terms(tiny_model, TransferConfig(clip=False))]
    assert names == ["content", "style", "tv"]


def test_penalty_without_effect_is_refused():
    for config in (TransferConfig, JobConfig):
        with pytest.raises(ConfigError, match="`clip` keeps all pixels in range; add --no-clip"):
            config(range_weight=1.0)
    TransferConfig(range_weight=1.0, clip_at=200.0)


def test_losses_csv_has_a_column_for_it_only_where_it_counts(tmp_path):
    losses = {"total": 6.0, "content": 1.0, "style": 2.0, "tv": 3.0, "range": 0.25}
    for weight, columns in [(0.0, ["tv", "seconds"]), (1.0, ["tv", "range", "seconds"])]:
        config = JobConfig(range_weight=weight, clip=False)
        with LossLog(tmp_path / "losses.csv", config, [losses]):
            pass
        with open(tmp_path / "losses.csv", newline="") as file:
            assert next(csv.reader(file)) == ["iteration", "total", "content", "style", *columns]
        history, _ = read_losses(tmp_path / "losses.csv")
        assert history == [{name: losses[name] for name in losses if name in columns[:-1] + KEPT}]
