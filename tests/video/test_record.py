"""frames.csv: rows that survive, and frames that are painted again."""

from fractions import Fraction

import numpy as np
import pytest

from nst_tf.errors import ConfigError
from nst_tf.video.record import (
    Record,
    Row,
    forget_painted,
    load_painted,
    picture_path,
    save_painted,
)


def write(folder, scenes, reach=1):
    record = Record(folder, reach)
    for frame, scene in enumerate(scenes, 1):
        save_painted(folder, frame, np.full((1, 4, 5, 3), frame, np.float32))
        numbers = [0.5, 2.5, 1.0, float("nan"), 2.0, 3.0, 4.0, 0.1]
        record.add(Row(frame, Fraction(1001 * frame, 30_000), scene, 7, *numbers))
        picture_path(folder, frame).write_bytes(b"")
    return record.rows


def test_rows_are_read_back_exactly(tmp_path):
    rows = write(tmp_path, [1, 1, 2])
    assert list(map(str, Record(tmp_path, 1).rows)) == list(map(str, rows))


def test_frames_from_the_first_missing_picture_on_are_painted_again(tmp_path):
    write(tmp_path, [1, 1, 1, 1])
    picture_path(tmp_path, 3).unlink()
    assert [row.frame for row in Record(tmp_path, 2).rows] == [1, 2]


@pytest.mark.parametrize("end", [b"5,2002/30", b"\xff\xfe,", b"5,1/0,1,1,1,1,1,1,1,1,1,1\n"])
def test_half_a_row_is_left_out(tmp_path, end):
    write(tmp_path, [1, 1, 1, 1])
    picture_path(tmp_path, 5).write_bytes(b"")
    with open(tmp_path / "frames.csv", "ab") as file:
        file.write(end)
    assert len(Record(tmp_path, 1).rows) == 4
    assert len((tmp_path / "frames.csv").read_text().splitlines()) == 5


def test_scene_whose_images_were_lost_is_painted_again(tmp_path):
    write(tmp_path, [1, 1, 2, 2, 2])
    forget_painted(tmp_path, 4)
    assert len(Record(tmp_path, 2).rows) == 5
    assert len(Record(tmp_path, 3).rows) == 2


def test_image_is_kept_exactly_and_damage_is_said(tmp_path):
    image = np.random.default_rng(0).normal(size=(1, 4, 5, 3)).astype(np.float32)
    save_painted(tmp_path, 8, image)
    np.testing.assert_array_equal(load_painted(tmp_path, 8), image)
    (tmp_path / "painted-000008.npz").write_bytes(b"PK")
    with pytest.raises(ConfigError, match=r"painted-000008.npz is missing or damaged, and the"):
        load_painted(tmp_path, 8)
