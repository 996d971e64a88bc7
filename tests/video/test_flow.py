"""Optical flow: warping, the two checks of the paper, and the estimators that are installed."""

import importlib.util

import numpy as np
import pytest
from films import moving_frames
from pictures import make_picture

from nst_tf.errors import ConfigError
from nst_tf.video import flow as module
from nst_tf.video.flow import FLOWS, Motion, check_motion, find_flow, find_motion, warp
from nst_tf.video.sample import PAN, flow_figures, sample_clip


def constant(dx, dy, size=(20, 31)):
    return np.broadcast_to(np.float32([dx, dy]), (*size, 2)).copy()


def test_warp_takes_pixels_from_where_the_flow_leads():
    picture = make_picture(20, 31)
    warped = warp(picture, constant(3, -2))
    np.testing.assert_array_equal(warped[2:, :-3], picture[:-2, 3:])
    halfway = warp(picture, constant(0.5, 0))
    between = (picture[:, :-1].astype(float) + picture[:, 1:]) / 2
    np.testing.assert_allclose(halfway[:, :-1], between, atol=1e-4)
    np.testing.assert_array_equal(warp(picture, constant(-99, 0))[:, 5], picture[:, 0])


def test_flows_that_undo_each_other_hide_only_what_is_beyond_the_border():
    motion = check_motion(constant(4, 0), constant(-4, 0))
    assert motion.hidden[:, :4].all()
    assert not motion.hidden[:, 4:].any()
    assert not motion.boundary.any()


@pytest.mark.parametrize(("beyond", "hidden"), [(0.4, False), (0.6, True)])
def test_outermost_pixels_reach_half_a_pixel_out(beyond, hidden):
    for dx, dy in [(beyond, 0), (-beyond, 0), (0, beyond), (0, -beyond)]:
        assert check_motion(constant(-dx, -dy), constant(dx, dy)).hidden.any() == hidden


@pytest.mark.parametrize(("gap", "hidden"), [(0.95, False), (1.1, True)])
def test_threshold_of_hidden_pixels_is_the_papers(gap, hidden):
    """|w~ + w^|^2 > 0.01 (|w~|^2 + |w^|^2) + 0.5 for |w~| = |w^| = 5 to the side, and a gap."""
    across = gap * np.sqrt(0.01 * (25 + 25) + 0.5)
    motion = check_motion(constant(5, across), constant(-5, 0))
    assert motion.hidden[8:12, 10:20].all() == hidden
    assert motion.hidden[8:12, 10:20].any() == hidden


@pytest.mark.parametrize(("factor", "boundary"), [(0.97, False), (1.03, True)])
def test_threshold_of_motion_boundaries_is_the_papers(factor, boundary):
    """|grad u|^2 + |grad v|^2 > 0.01 |w|^2 + 0.002, for a flow that grows downward."""
    slope = np.sqrt(0.01 * 9 + 0.002) * factor
    backward = constant(0, 0)
    backward[..., 1] = 3 + slope * (np.arange(20) - 10)[:, np.newaxis]
    assert check_motion(-backward, backward).boundary[10].all() == boundary


def test_pixels_count_where_neither_check_fails():
    hidden, boundary = np.array([[0, 1, 0]], bool), np.array([[0, 0, 1]], bool)
    motion = Motion(np.zeros((1, 3, 2), np.float32), hidden, boundary)
    assert motion.counts.tolist() == [[True, False, False]]


@pytest.mark.parametrize("name", FLOWS)
def test_estimators_find_the_motion_of_the_sample_clip(name):
    pytest.importorskip(FLOWS[name][1])
    clip = sample_clip(3)
    true, found = clip.motions[0], find_motion(*clip.frames[:2], find_flow(name))
    error = np.linalg.norm(true.backward - found.backward, axis=-1)
    assert np.median(error[~true.hidden]) < 0.3
    assert found.hidden[true.hidden].mean() > 0.4
    assert found.hidden[~true.hidden].mean() < 0.1


def test_figures_of_a_flow_are_its_errors_where_nothing_is_hidden():
    clip = sample_clip(3, (45, 80))
    frames = [frame.tobytes() for frame in clip.frames]

    def off_by_one(first, second):
        """The true flow, one pixel too far down; forward, the view's."""
        earlier, later = frames.index(first.tobytes()), frames.index(second.tobytes())
        if later > earlier:
            return constant(*-PAN, (45, 80))
        return clip.motions[later].backward + np.float32([0, 1])

    figures = flow_figures(clip, off_by_one)
    assert [figures[name] for name in ("mean", "median", "95 %")] == [1, 1, 1]
    exact = flow_figures(clip, lambda *pair: off_by_one(*pair) - np.float32([0, 1]))
    assert exact["mean"] == 0


def test_motion_of_the_sample_clip_is_found():
    pytest.importorskip("cv2")
    figures = flow_figures(sample_clip(3, (90, 160)), find_flow("dis"))
    assert figures["mean"] < 0.2
    assert figures["recall"] > 0.95
    assert figures["recall, hidden"] > 0.8
    assert figures["precision, hidden"] > 0.7


def test_missing_estimator_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert find_flow("none") is None
    for name, package in [("auto", "OpenCV"), ("dis", "OpenCV"), ("tvl1", "scikit-image")]:
        with pytest.raises(ConfigError, match=f"{name} needs {package}: `python -m pip install"):
            find_flow(name)


def test_auto_takes_the_first_that_is_installed(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: name == "skimage" or None)
    assert find_flow("auto") is FLOWS["tvl1"][0]
    monkeypatch.setattr(module, "find_spec", importlib.util.find_spec)


def test_flow_of_frames_leads_from_one_to_the_other():
    from films import shift

    frames = moving_frames(2, step=3)
    motion = find_motion(*frames, shift)
    assert (motion.backward[..., 0] == 3).all()
    np.testing.assert_array_equal(warp(frames[0], motion.backward)[:, :-3], frames[1][:, :-3])
