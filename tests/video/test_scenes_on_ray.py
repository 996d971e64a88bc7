"""A film whose scenes two Ray workers paint, on this machine."""

import pytest
from films import moving_frames, write_clip
from pictures import make_picture
from PIL import Image

from nst_tf.video.__main__ import main

pytestmark = pytest.mark.cluster


def test_ray_paints_the_same_frames(tmp_path, tiny_mat, monkeypatch, capsys):
    pytest.importorskip("cv2")
    monkeypatch.chdir(tmp_path)
    Image.fromarray(make_picture(40, 52, seed=1)).save("brush.png")
    write_clip("clip.mp4", [*moving_frames(3), *moving_frames(3, seed=5)])
    layers = ["--content-layers", "conv2_1", "--style-layers", "conv1_1", "conv2_1"]
    film = ["clip.mp4", "brush.png", "--weights", str(tiny_mat), "--size", "64", *layers]
    film += ["--iterations", "3", "--frame-iterations", "2", "--precision", "float32"]
    assert main([*film, "--output", "here", "--flow", "dis"]) == 0
    assert main([*film, "--output", "out", "--flow", "dis", "--engine", "ray"]) == 0
    output = capsys.readouterr()
    assert "2 scenes, 2 of them to paint" in output.out
    assert "scene 2, frames 4 to 6: " in output.err
    frames = [sorted((tmp_path / name).glob("0*.png")) for name in ("here", "out")]
    assert [path.name for path in frames[1]] == [f"00000{n}.png" for n in range(1, 7)]
    assert [path.read_bytes() for path in frames[0]] == [path.read_bytes() for path in frames[1]]
    assert not list((tmp_path / "out").glob("scene_*"))
