"""Masks of films: which one belongs to a frame, and messages about them."""

from fractions import Fraction

import numpy as np
import pytest
from films import write_clip
from PIL import Image

from nst_tf.errors import ImageError
from nst_tf.video.config import VideoConfig
from nst_tf.video.masks import NOWHERE, Masks
from nst_tf.video.reading import Film, Frame

SIZE = (36, 64)


def gray(level):
    return np.full((*SIZE, 3), level, np.uint8)


def folder_of(tmp_path, levels):
    (tmp_path / "masks").mkdir()
    for number, level in enumerate(levels):
        Image.fromarray(gray(level)).save(tmp_path / "masks" / f"{number}.png")
    return str(tmp_path / "masks")


def masks_of(path, frames, say=print, **knobs):
    masks = Masks(str(path), VideoConfig(**knobs), SIZE, SIZE, say)
    return [float(np.median(masks.of(frame))) for frame in frames]


def frames_at(*milliseconds, start=5):
    times = [Fraction(number, 1000) for number in milliseconds]
    return [Frame(start + time, None, index, time) for index, time in enumerate(times)]


def test_mask_of_a_frame_is_the_latest_that_is_not_after_it(tmp_path):
    times = [Fraction(number, 1000) for number in (700, 740, 860)]  # 0, 40 and 160 from the first
    path = write_clip(tmp_path / "m.mkv", [gray(0), gray(120), gray(255)], times=times)
    found = masks_of(path, frames_at(0, 30, 39, 41, 100, 150, 161))
    assert found[:2] == [pytest.approx(NOWHERE)] * 2
    assert found[2:6] == pytest.approx([120 / 255] * 4, abs=0.02), "39 is 40, rounded"
    assert found[6] == pytest.approx(1, abs=0.02)


def test_film_on_its_own_clock_and_any_color(tmp_path):
    red = gray(0)
    red[..., 0] = 255
    path = write_clip(tmp_path / "m.mp4", [red, gray(0)])
    found = masks_of(f"not:{path}", frames_at(0, 40), binary_masks=True)
    assert found == [pytest.approx(NOWHERE), 1]


def test_pictures_of_a_folder_belong_to_the_frames_by_their_order(tmp_path):
    folder, lines = folder_of(tmp_path, [255, 153, 204]), []
    content = write_clip(tmp_path / "clip.mp4", [gray(90)] * 5)
    film = Film(VideoConfig(content=str(content), begin=0.04, every=2), print)
    assert masks_of(folder, film, lines.append) == pytest.approx([0.6, 0.8])
    assert lines == [
        f"{folder} ends at frame 3, before the film; its last mask is used for the rest"
    ]


def test_masks_of_earlier_frames_are_read_again(tmp_path):
    path = write_clip(tmp_path / "m.mkv", [gray(level) for level in (0, 120, 255)])
    frames = frames_at(0, 41, 85, 130)
    lines = []
    found = masks_of(path, [*frames[2:], *frames[:2], *frames[2:]], lines.append)
    assert found == pytest.approx([1, 1, NOWHERE, 120 / 255, 1, 1], abs=0.02)
    assert len(lines) == 1, "that the masks end before the film"


def test_end_of_a_slower_film_is_said_once(tmp_path):
    times = [Fraction(0), Fraction(80, 1000)]
    path, lines = write_clip(tmp_path / "m.mp4", [gray(0), gray(255)], times=times), []
    masks_of(path, frames_at(0, 40, 80, 120), lines.append)
    assert not lines, "the last one lasts as long as the one before it"
    masks_of(path, frames_at(0, 160, 200), lines.append)
    assert lines == [
        f"{path} ends at second 0.08, before the film; its last mask is used for the rest"
    ]


def test_damaged_picture_leaves_the_mask_before_it(tmp_path):
    folder, lines = folder_of(tmp_path, [153, 204, 255]), []
    (tmp_path / "masks" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert masks_of(folder, frames_at(0, 40, 80), lines.append) == pytest.approx([0.6, 0.6, 1])
    assert len(lines) == 1
    assert lines[0].endswith("the previous mask is used instead")


def test_maps_of_labels_are_refused(tmp_path):
    with pytest.raises(ImageError, match=r"0.png has the values 7; white where it acts"):
        masks_of(folder_of(tmp_path, [7, 255]), frames_at(0))


def test_masks_of_another_shape_are_refused(tmp_path):
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(folder_of(tmp_path, []) + "/0.png")
    with pytest.raises(ImageError, match="has 40x40 pixels, its picture 64x36"):
        masks_of(tmp_path / "masks", frames_at(0))


def test_file_that_is_no_mask_is_refused(tmp_path):
    (tmp_path / "text.mp4").write_text("no film\n" * 99)
    with pytest.raises(ImageError, match=r"text.mp4 can't be read as a film"):
        masks_of(tmp_path / "text.mp4", frames_at(0))
