"""Memory estimates, the choice of tiles, and running out of memory."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from objectives import forget_traces
from pictures import make_picture

from nst_tf import NstError, Objective, TransferConfig, extract_features, style_transfer
from nst_tf.errors import OutOfMemory
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.objective.objective import as_styles
from nst_tf.scaling import limits, memory
from nst_tf.scaling.levels import Level
from nst_tf.scaling.memory import (
    GIB,
    bytes_a_pixel,
    estimate,
    in_smaller_tiles,
    operations_a_pixel,
    ram_left,
    tile_area,
)
from nst_tf.scaling.tiling import TiledObjective
from nst_tf.transfer import loss_terms

CONTENT = VGG_PIXELS.to_image(make_picture(400, 420))
STYLE = VGG_PIXELS.to_image(make_picture(210, 311, seed=1))
LAYERS = ("conv4_2", "conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")


@pytest.fixture
def no_memory_used(monkeypatch):
    """Set the memory used by this process to 0."""
    monkeypatch.setattr(memory, "memory_used", lambda: 0)


class VGG19Shapes:
    """VGG-19's layer shapes without weights, as needed for estimates."""

    def __init__(self, tiny_model, dtype=tf.float32):
        self.model = tiny_model.with_layers(
            {name: _LayerShape(layer, name) for name, layer in tiny_model.items()}, dtype=dtype
        )


class _LayerShape:
    def __init__(self, layer, name):
        block = int(name[4] if name.startswith("conv") else name[-1])
        self.channels = layer.channels and (64, 128, 256, 512, 512)[block - 1]
        self.extent = layer.extent


def test_estimates_match_values_counted_by_hand(tiny_model):
    vgg19 = VGG19Shapes(tiny_model).model
    # Counted by hand: 444e9 operations at 640x480, 1.8 kB per pixel.
    assert operations_a_pixel(vgg19, LAYERS) * 640 * 480 == pytest.approx(444e9, rel=0.02)
    assert bytes_a_pixel(vgg19, LAYERS) == pytest.approx(1830, rel=0.03)
    half = VGG19Shapes(tiny_model, tf.bfloat16).model
    assert bytes_a_pixel(half, LAYERS) == pytest.approx(930, rel=0.03)


def test_split_of_layers_over_devices_is_as_documented(tiny_model):
    maps, operations, incoming = dict.fromkeys("12345", 0), dict.fromkeys("12345", 0), 3
    vgg19 = VGG19Shapes(tiny_model).model
    for name, channels, stride in memory._used(vgg19, LAYERS):
        block = next(letter for letter in name if letter.isdigit())
        maps[block] += 4 * channels / stride**2
        if name.startswith("conv"):
            operations[block] += 2 * 9 * incoming * channels / stride**2
        incoming = channels
    text = (Path(__file__).parents[2] / "docs/gpu.md").read_text(encoding="utf-8")
    for block, size in maps.items():
        share = operations[block] / sum(operations.values())
        mib, gib = size * 512**2 / 2**20, size * 12e6 / GIB
        row = f"| {size:.0f} | {mib:.0f} MiB | {gib:.1f} GiB | "
        [found] = [line for line in text.splitlines() if row in line]
        assert found.endswith(f" % | {100 * share:.0f} % |"), found
    assert f"| all | {sum(maps.values()):.0f} | 320 MiB | 14.3 GiB |" in text


@pytest.mark.parametrize(
    ("dtype", "size", "used", "measured"),
    [
        (tf.bfloat16, (480, 640), 0.73, 1.45),
        (tf.bfloat16, (1080, 1920), 0.81, 4.55),
        (tf.float32, (480, 640), 0.73, 1.68),  # 50 iterations
    ],
)
def test_estimates_are_close_to_measured_memory(
    tiny_model, monkeypatch, dtype, size, used, measured
):
    monkeypatch.setattr(memory, "convolution_speeds", lambda dtype: [1e12] * 3)
    vgg19 = VGG19Shapes(tiny_model, dtype).model
    config = TransferConfig(schedule="fast")
    estimated = estimate(vgg19, LAYERS, [Level(size, 500)], config, 0, used * GIB)
    assert estimated.gibibytes == pytest.approx(measured, rel=0.1)


def test_only_pictures_that_do_not_fit_are_tiled(tiny_model, no_memory_used):
    vgg19 = VGG19Shapes(tiny_model).model
    assert not tile_area(vgg19, LAYERS, (480, 640), TransferConfig(memory_limit=1.1))
    area = tile_area(vgg19, LAYERS, (2160, 3840), TransferConfig(memory_limit=6))
    assert 256 * 256 < area < 2160 * 3840
    with pytest.raises(NstError, match=r"3840x2160 pixels need .* GiB .* and there are .*--size"):
        tile_area(vgg19, LAYERS, (2160, 3840), TransferConfig(memory_limit=1))


def test_8k_fits_into_8_gib(tiny_model, monkeypatch):
    monkeypatch.setattr(memory, "memory_used", lambda: 1.9 * GIB)  # measured with pictures read
    vgg19 = VGG19Shapes(tiny_model, tf.bfloat16).model
    config = TransferConfig(schedule="fast", memory_limit=8)
    assert tile_area(vgg19, LAYERS, (4320, 7680), config) > memory.SMALLEST_TILE


def test_free_memory_is_the_default_limit(tiny_model, monkeypatch):
    monkeypatch.setattr(memory, "memory_left", lambda: 3 * GIB)
    vgg19 = VGG19Shapes(tiny_model).model
    assert not tile_area(vgg19, LAYERS, (720, 1280), TransferConfig())
    assert tile_area(vgg19, LAYERS, (1440, 2560), TransferConfig())


def test_container_limit_reduces_ram_left(monkeypatch, tmp_path):
    free = ram_left()
    (tmp_path / "memory.max").write_text(str(3 * 10**6))
    (tmp_path / "memory.current").write_text(str(10**6))
    monkeypatch.setattr(limits, "control_groups", lambda proc: [("cgroup2", tmp_path)])
    assert ram_left() == pytest.approx(0.9 * 2 * 10**6)
    (tmp_path / "memory.max").write_text("max")
    assert ram_left() == pytest.approx(free, rel=0.5)


def test_estimate_reports_time_and_memory(tiny_model, monkeypatch, no_memory_used):
    monkeypatch.setattr(memory, "convolution_speeds", lambda dtype: [100e9] * 3)
    vgg19 = VGG19Shapes(tiny_model).model
    estimated = estimate(vgg19, LAYERS, [Level((480, 640), 748)], TransferConfig())
    assert estimated.seconds == pytest.approx(750 * (444 / 90 + 0.02), rel=0.02)
    assert str(estimated).startswith("about 61 min and 1 GiB")
    tiled = estimate(vgg19, LAYERS, [Level((480, 640), 5)], TransferConfig(), tile=10**5)
    assert "tile by tile" in str(tiled)


def test_estimate_is_a_range_where_timings_differ(tiny_model, monkeypatch, no_memory_used):
    vgg19, levels = VGG19Shapes(tiny_model).model, [Level((480, 640), 18)]
    for speeds, text in {
        (90e9, 100e9, 110e9): "about 1:41 min and",
        (50e9, 100e9, 100e9): "about 1:40 to 3:20 min and",
        (5e9, 50e9, 100e9): "about 1:40 to 33 min and",
    }.items():
        monkeypatch.setattr(memory, "convolution_speeds", lambda dtype, speeds=speeds: speeds)
        assert str(estimate(vgg19, LAYERS, levels, TransferConfig())).startswith(text)


def test_estimate_counts_what_depends_on_the_settings(tiny_model, monkeypatch):
    monkeypatch.setattr(memory, "convolution_speeds", lambda dtype: [100e9] * 3)
    vgg19 = VGG19Shapes(tiny_model).model

    def seconds(*levels, **knobs):
        return estimate(vgg19, LAYERS, levels, TransferConfig(**knobs)).seconds

    plain = seconds(Level((64, 64), 100))
    assert seconds(Level((64, 64), 200)) > 1.7 * plain
    # Small updates take their time for other things than convolutions.
    assert 4 < seconds(Level((1, 1), 100)) < plain
    assert seconds(Level((64, 64), 100), optimizer="lbfgs") > 1.2 * plain
    assert seconds(Level((64, 64), 100), method="wasserstein") > 3 * plain
    # Each level has its targets, and the losses that it begins with.
    assert seconds(Level((64, 64), 50), Level((64, 64), 50)) > 1.01 * plain


def test_speeds_of_a_convolution_are_in_order():
    slow, usual, fast = memory.convolution_speeds.__wrapped__(tf.float32, seconds=0.05)
    assert 0 < slow <= usual <= fast


def test_tiles_shrink_down_to_the_smallest_tile(tiny_model):
    objective, areas = Objective(tiny_model, []), []
    for _ in range(3):
        objective = in_smaller_tiles(objective, (1000, 1000))
        areas.append(objective.area)
    assert areas == [500_000, 250_000, 125_000]
    with pytest.raises(NstError, match="tile by tile either"):
        in_smaller_tiles(objective, (1000, 1000))


@pytest.fixture
def before_features(monkeypatch):
    """Return a function that installs a hook on the image before feature extraction."""

    def install(check):
        def extract(model, image, layers):
            return extract_features(model, check(image), layers)

        for module in ("objective.objective", "scaling.tiling"):
            monkeypatch.setattr(f"nst_tf.{module}.extract_features", extract)
        forget_traces()

    yield install
    forget_traces()


@pytest.mark.slow
def test_run_continues_in_tiles_after_out_of_memory(tiny_model, before_features):
    whole = style_transfer(CONTENT, STYLE, tiny_model, iterations=3)
    areas = []

    def allocate(height, width):  # TensorFlow turns MemoryError into ResourceExhaustedError
        areas.append(int(height * width))
        if areas[-1] > 100 * 100 * 10:  # the whole picture, not a tile or the style
            raise MemoryError("OOM when allocating tensor")

    def check(image):
        shape = tf.shape(image)  # in the traced loop sizes are known only at run time
        with tf.control_dependencies([tf.numpy_function(allocate, [shape[1], shape[2]], [])]):
            return tf.identity(image)

    before_features(check)
    tiled = style_transfer(CONTENT, STYLE, tiny_model, iterations=3)
    assert max(areas) == 400 * 420
    first, second = (run.history[0]["total"] for run in (whole, tiled))
    np.testing.assert_allclose(second, first, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("optimizer", "successes"), [("adam", 5), ("lbfgs-fixed", 5), ("lbfgs", 5), ("lbfgs", 2)]
)
def test_run_continues_in_tiles_if_memory_runs_out_in_the_middle(
    tiny_model, before_features, optimizer, successes
):
    knobs = {"iterations": 6, "optimizer": optimizer, "unit": "relative"}
    whole = style_transfer(CONTENT, STYLE, tiny_model, **knobs)
    evaluated = []

    def allocate(height, width):
        evaluated.append(int(height * width))
        # The targets' one, the start's and perhaps a few updates succeed.
        if evaluated[-1] == 400 * 420 and evaluated.count(400 * 420) > successes:
            raise MemoryError("OOM when allocating tensor")

    def check(image):
        shape = tf.shape(image)
        with tf.control_dependencies([tf.numpy_function(allocate, [shape[1], shape[2]], [])]):
            return tf.identity(image)

    before_features(check)
    with pytest.warns(UserWarning, match="out of memory: continuing in tiles of at most 84000"):
        result = style_transfer(CONTENT, STYLE, tiny_model, **knobs)
    assert len(result.history) == len(whole.history) == 7
    for number in range(1 if successes == 2 else 2):  # before it happened
        assert result.history[number] == pytest.approx(whole.history[number], rel=1e-4)
    ends = [run.history[-1]["total"] for run in (whole, result)]
    assert ends[1] < 1.2 * ends[0]


def test_out_of_memory_without_smaller_tiles_keeps_the_picture(tiny_model, before_features):
    small, evaluated = CONTENT[:, :48, :64], []

    def allocate():
        evaluated.append(1)
        if len(evaluated) > 6:
            raise MemoryError("OOM when allocating tensor")

    def check(image):
        with tf.control_dependencies([tf.numpy_function(allocate, [], [])]):
            return tf.identity(image)

    before_features(check)
    with pytest.raises(OutOfMemory, match="make the picture smaller, as in --size 32, or") as stop:
        style_transfer(small, small[:, ::-1], tiny_model, iterations=20, optimizer="adam")
    assert 0 < stop.value.result.iterations < 6
    assert stop.value.result.picture.shape == (48, 64, 3)


def test_out_of_memory_in_the_smallest_tiles_raises(tiny_model, before_features):
    def check(image):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    before_features(check)
    with pytest.raises(NstError, match="420x400 pixels do not fit into memory, tile by tile"):
        style_transfer(CONTENT, STYLE, tiny_model, iterations=3)


def test_large_styles_are_measured_in_tiles(tiny_model, monkeypatch, no_memory_used):
    style = VGG_PIXELS.to_image(make_picture(600, 500, seed=2))
    config = TransferConfig(memory_limit=0.3)
    whole = Objective(tiny_model, loss_terms(tiny_model, config))
    a_pixel = bytes_a_pixel(tiny_model, whole.layers)
    monkeypatch.setattr(memory, "MACHINERY", 0.3 * GIB - 1.9 * 150_000 * a_pixel)
    measured = []
    measure = TiledObjective.measure

    def record(self, term, image, guides=None, **options):
        measured.append((self.area, image.shape[1:3]))
        return measure(self, term, image, guides, **options)

    monkeypatch.setattr(TiledObjective, "measure", record)
    start = CONTENT[:, :100, :120]
    objective, targets = memory.within_memory(whole, config, start, start, as_styles(style))
    assert type(objective) is Objective, "the picture itself fits"
    assert (600, 500) in [size for _, size in measured]
    assert all(area < 600 * 500 for area, _ in measured)
    expected = whole.targets(start, as_styles(style))
    for layer, statistic in expected["style"]["target"][0].target.items():
        found = targets["style"]["target"][0].target[layer]
        for ours, theirs in zip(tf.nest.flatten(found), tf.nest.flatten(statistic), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


def test_style_that_cannot_fit_is_named(tiny_model, no_memory_used):
    config = TransferConfig(memory_limit=0.131)
    whole = Objective(tiny_model, loss_terms(tiny_model, config))
    style = np.zeros((1, 600, 500, 3), np.float32)
    with pytest.raises(NstError, match=r"a style of 500x600 pixels needs .* --style-size"):
        memory.within_memory(whole, config, CONTENT, CONTENT, as_styles(style))


def test_peak_of_the_gpu_is_known_where_there_is_one(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(tf.config, "get_visible_devices", lambda kind: [])
        assert memory.most_gpu_memory() is None
        patch.setattr(tf.config, "get_visible_devices", lambda kind: ["GPU:0"])
        info = {"current": 1, "peak": 3 * 2**30}
        patch.setattr(tf.config.experimental, "get_memory_info", lambda device: info)
        assert memory.most_gpu_memory() == 3 * 2**30
