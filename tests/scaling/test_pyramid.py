"""Coarse-to-fine optimization: the levels, resizing between them, and complete runs."""

import numpy as np
import pytest
from objectives import bowl_task
from pictures import make_picture

from nst_tf import ConfigError, Style, TransferConfig, style_transfer
from nst_tf import config as knobs
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.image.sizes import MIN_SIDE
from nst_tf.optim.from_config import optimizer_name
from nst_tf.scaling.levels import make_levels, task_levels
from nst_tf.scaling.pyramid import enlarged, resized_image, resized_style
from nst_tf.schedules import SCHEDULES
from nst_tf.transfer import has_levels, make_task, minimize

CONTENT = VGG_PIXELS.to_image(make_picture(233, 311))
STYLE = VGG_PIXELS.to_image(make_picture(250, 211, seed=1))
RELATIVE = {"unit": "relative", "alpha": 1.0, "beta": 20.0, "tv_weight": 4.0}
SHALLOW = {"content_layers": "conv2_1", "style_layers": ("conv1_1", "conv2_1")}


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("iterations", [0, 1, 7, 500])
@pytest.mark.parametrize("size", [(32, 32), (480, 640), (2160, 3840), (40, 2000)])
def test_levels_sum_to_the_iterations_and_end_at_full_size(schedule, iterations, size):
    levels = make_levels(schedule, size, iterations)
    assert sum(level.iterations for level in levels) == iterations
    assert levels[-1].size == size
    widths = [level.size[1] for level in levels]
    assert widths == sorted(set(widths))
    assert min(min(level.size) for level in levels) >= MIN_SIDE
    assert all(level.iterations for level in levels[:-1])
    assert levels[-1].iterations or not iterations  # the result is never just an enlarged picture


def test_coarsest_level_of_every_schedule():
    assert len(make_levels("tutorial", (480, 640), 500)) == 1
    for schedule in ("fast", "fine"):
        for size in [(480, 640), (1080, 1440)]:
            height, width = make_levels(schedule, size, 500)[0].size
            assert height * width == pytest.approx(SCHEDULES[schedule].coarsest, rel=0.02)


def test_every_level_of_a_large_picture_gets_iterations():
    levels = make_levels("fast", (4320, 7680), 500)
    assert len(levels) > 5
    assert min(level.iterations for level in levels) >= 0.02 * levels[0].iterations > 1


def test_no_coarse_level_is_close_to_full_size():
    assert len(make_levels("fast", (150, 190), 500)) == 1


def test_paper_unit_has_one_level_in_every_schedule(tiny_model):
    for schedule in SCHEDULES:
        assert len(make_levels(schedule, (480, 640), 500, unit="paper")) == 1
    for unit, levels in [("paper", 1), ("relative", 2)]:
        config = TransferConfig(schedule="fast", unit=unit, **SHALLOW)
        task = make_task(CONTENT, STYLE, tiny_model, config=config)
        assert len(task_levels(task)) == levels


def test_unused_iterations_pass_to_the_next_level(tiny_model, monkeypatch):
    assigned, seen = [], []

    class EarlyOptimizer:
        """An optimizer that converges after two updates on the first level."""

        def __init__(self, config, space, iterations, tiled):
            assigned.append(iterations)
            self.end = 2 if len(assigned) == 1 else iterations
            self.updates, self.losses = 0, {"total": 1.0}

        def start(self, objective, targets, image):
            self.start_image = image
            return self

        @property
        def converged(self):
            return self.updates == self.end

        def update(self, count):
            count = min(count, self.end - self.updates)
            self.updates += count
            return [self.losses] * count

        def image(self):
            return self.start_image

        def close(self):
            pass

    monkeypatch.setattr("nst_tf.transfer.make_optimizer", EarlyOptimizer)
    knobs = {"schedule": "fast", "iterations": 12, **RELATIVE, **SHALLOW}
    callbacks = [lambda step: seen.append(step.iteration)]
    result = style_transfer(CONTENT, STYLE, tiny_model, callbacks=callbacks, **knobs)
    planned = [level.iterations for level in make_levels("fast", CONTENT.shape[1:3], 12)]
    assert assigned == [planned[0], planned[1] + planned[0] - 2, *planned[2:]]
    assert seen == list(range(13))
    assert result.iterations == 12
    assert not result.converged


def test_chosen_levels():
    def sizes(**chosen):
        return [level.size for level in make_levels("tutorial", (300, 400), 90, **chosen)]

    assert sizes(levels=1) == [(300, 400)]
    assert sizes(levels=3) == [(75, 100), (150, 200), (300, 400)]
    assert sizes(min_size=150) == [(112, 150), (184, 245), (300, 400)]  # growth of 2 at most
    assert sizes(min_size=200) == [(150, 200), (300, 400)]
    assert sizes(min_size=100, levels=2) == [(75, 100), (300, 400)]
    assert sizes(min_size=256, levels=3) == [(192, 256), (240, 320), (300, 400)]
    for large in (400, 5000):  # such as small pictures of a batch
        assert sizes(min_size=large) == sizes(min_size=large, levels=1) == [(300, 400)]
    levels = make_levels("fast", (300, 400), 90, level_iterations=(50, 30, 10), unit="paper")
    assert [level.iterations for level in levels] == [50, 30, 10]
    assert levels[0].size == (75, 100)
    shares = [level.iterations for level in make_levels("fast", (300, 400), 90, levels=3)]
    assert shares == [41, 29, 20]  # 1 : 0.7 : 0.49


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"levels": 5}, "coarsest of 5 levels would have 25x19 pixels, and .* there 18.8; 32 are"),
        ({"min_size": 40}, "coarsest of 5 levels would have 40x30 pixels, .* a larger `min_size`"),
        ({"levels": 2, "min_size": 400}, "`min_size` is 400, and the longer side of the result"),
    ],
)
def test_levels_that_do_not_fit_are_rejected(chosen, message):
    with pytest.raises(ConfigError, match=message):
        make_levels("fast", (300, 400), 90, **chosen)


def test_small_style_rejects_chosen_levels():
    with pytest.raises(
        ConfigError, match="pixels, and the shortest side of a picture there 20; 32"
    ):
        make_levels("fast", (300, 400), 90, shortest=40, levels=2)


def test_iterations_are_the_sum_of_those_of_the_levels():
    config = TransferConfig(level_iterations=(4, 3))
    assert config.iterations == 7
    assert config.changed(level_iterations=[2, 2], iterations=4).iterations == 4
    with pytest.raises(ConfigError, match="`iterations` is 9, but `level_iterations` 4 3 make 7"):
        config.changed(iterations=9)
    with pytest.raises(ConfigError, match="`level_iterations` has 2 numbers for 3 levels; give"):
        config.changed(levels=3)
    with pytest.raises(ConfigError, match="`level_iterations` is 0; it must be at least 1"):
        TransferConfig(level_iterations=(4, 0))


def test_chosen_levels_run_in_any_schedule_and_unit(tiny_model):
    sizes = []
    config = TransferConfig(level_iterations=(3, 2), min_size=64, alpha=1e-3, tv_weight=0)
    task = bowl_task(tiny_model, CONTENT, STYLE[:, :233].repeat(2, 2)[:, :, :311], config)
    minimize(task, callbacks=[lambda step: sizes.append(step.image.shape[1:3])])
    assert sizes == [(48, 64)] * 3 + [(233, 311)] * 3


@pytest.mark.parametrize("knobs", [{}, {"schedule": "fast", "unit": "paper"}, {"min_size": 64}])
def test_runs_with_several_levels_are_known_beforehand(knobs):
    assert has_levels(TransferConfig(**knobs)) == ("min_size" in knobs)
    assert has_levels(TransferConfig(**{**knobs, "schedule": "fast", "unit": "relative"}))
    assert has_levels(TransferConfig(**knobs, levels=2))
    assert has_levels(TransferConfig(**knobs, level_iterations=(1, 2)))


def test_small_style_limits_the_coarsest_level():
    levels = make_levels("fast", (480, 640), 500, shortest=64)
    assert levels[0].size[0] >= 240


def test_config_choices_match_the_schedules():
    assert tuple(SCHEDULES) == knobs.SCHEDULES
    with pytest.raises(ConfigError, match="`schedule` is 'quick'; choose from tutorial, fast"):
        make_levels("quick", (480, 640), 500)


def test_resizing_preserves_flat_colors_and_mask_range():
    flat = np.broadcast_to(np.float32([10, -20, 30]), (1, 40, 60, 3))
    np.testing.assert_allclose(resized_image(flat, (23, 91))[0, 5, 5], [10, -20, 30], rtol=1e-5)
    mask = np.zeros((40, 60), np.float32)
    mask[10:20, 30:] = 1
    small = resized_image(mask, (20, 30))
    assert small.shape == (20, 30)
    assert 0 <= small.min() < 0.1 < 0.9 < small.max() <= 1
    assert resized_image(flat, (40, 60)) is flat


def test_resizing_a_style_resizes_its_masks():
    style = Style(STYLE, 2.0, np.ones((233, 311), np.float32), np.ones((250, 211), np.float32))
    small = resized_style(style, 0.5, (116, 155))
    assert small.image.shape == (1, 125, 106, 3)
    assert small.mask.shape == (116, 155)
    assert small.style_mask.shape == (125, 106)
    assert small.weight == 2


def test_coarse_to_fine_run_reports_every_iteration_once(tiny_model):
    steps = []
    result = style_transfer(
        CONTENT,
        STYLE,
        tiny_model,
        schedule="fast",
        iterations=20,
        callbacks=[steps.append],
        **RELATIVE,
        **SHALLOW,
    )
    assert [step.iteration for step in steps] == list(range(21))
    assert [step.last for step in steps] == [False] * 20 + [True]
    assert len(result.history) == 21
    sizes = [step.image.shape[1:3] for step in steps]
    assert len(set(sizes)) == len(make_levels("fast", (233, 311), 20)) > 1
    assert sizes[-1] == (233, 311)
    for step in steps:  # coarse pictures are enlarged
        assert step.picture().shape == (233, 311, 3)
    low, high = VGG_PIXELS.bounds
    assert (result.image >= low - 1e-3).all()
    assert (result.image <= high + 1e-3).all()


def test_fast_schedule_reaches_a_lower_loss_than_tutorial(tiny_model):
    def final_loss(schedule):
        result = style_transfer(
            CONTENT, STYLE, tiny_model, schedule=schedule, iterations=30, **RELATIVE, **SHALLOW
        )
        return result.history[-1]["total"]

    assert final_loss("fast") < final_loss("tutorial")


def test_learning_rate_selects_adam_in_every_schedule():
    assert optimizer_name(TransferConfig()) == "adam"
    assert optimizer_name(TransferConfig(schedule="fast")) == "lbfgs-fixed"
    assert optimizer_name(TransferConfig(schedule="fast", learning_rate=3.0)) == "adam"
    assert optimizer_name(TransferConfig(schedule="fast", decay="cosine")) == "adam"
    explicit = TransferConfig(schedule="fast", optimizer="sgd", learning_rate=3.0)
    assert optimizer_name(explicit) == "sgd"


def test_enlarging_keeps_the_details_of_the_content(tiny_model):
    knobs = TransferConfig(schedule="fast", **RELATIVE, **SHALLOW)
    from_content = make_task(CONTENT, STYLE, tiny_model, config=knobs)
    first, *_, last = task_levels(from_content)
    small = resized_image(CONTENT, first.size)
    unchanged = enlarged(from_content, small, last)
    np.testing.assert_array_equal(unchanged, CONTENT)
    brighter = enlarged(from_content, small + 7, last)
    np.testing.assert_allclose(brighter, CONTENT + 7, atol=1e-3)

    other_start = make_task(CONTENT, STYLE, tiny_model, CONTENT * 0.5, knobs)
    enlarged_small = enlarged(other_start, small, last)
    np.testing.assert_array_equal(enlarged_small, resized_image(small, CONTENT.shape[1:3]))


def test_coarse_to_fine_run_with_masks(tiny_model):
    mask = np.zeros((233, 311), np.float32)
    mask[:, :150] = 1
    styles = [Style(STYLE, 1.0, mask), Style(STYLE[:, ::-1], 1.0, 1 - mask)]
    result = style_transfer(
        CONTENT,
        styles,
        tiny_model,
        schedule="fast",
        iterations=8,
        propagation="inside",
        **RELATIVE,
        **SHALLOW,
    )
    assert result.iterations == 8
