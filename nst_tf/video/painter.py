"""Paint the frames of a film: each starts from the previous one, moved along the motion."""

import math
from collections import deque
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nst_tf.config import CONTRAST, MATCHES, NO_MASK, OWN_LAYERS
from nst_tf.errors import ImageError
from nst_tf.image.io import read_picture
from nst_tf.image.sizes import divisible_size, fit_size, parse_size, resize_picture
from nst_tf.jobs.inputs import AS_PAINTED, load_images, load_paintings
from nst_tf.jobs.load import check_xla, load_trunk
from nst_tf.models import normalize_trunk, resolve_layers
from nst_tf.objective.guides import with_content_map
from nst_tf.objective.temporal import Followed, TemporalTerm
from nst_tf.scaling.levels import task_levels
from nst_tf.transfer import make_task, minimize
from nst_tf.video.flicker import warping_error
from nst_tf.video.flow import find_motion, warp
from nst_tf.video.masks import Masks
from nst_tf.video.record import load_painted, picture_path

SAME = 48  # gray levels: a pixel that changes by more is not found in the earlier frame


class Fitted(NamedTuple):
    """The inputs of a frame.

    Attributes
    ----------
    picture : (H, W, 3) uint8
        The original frame at the size to paint.
    photograph : (H, W, 3) uint8
        The original frame at its own size.
    masks : list of (H, W) float32 or None
        One for each style.
    content_map : (H, W) float32 or None
    """

    picture: np.ndarray
    photograph: np.ndarray
    masks: list
    content_map: np.ndarray | None


class Painter:
    """Paint frames in order; store the last original frames and the style targets of the scene.

    The painted images of earlier frames are read from the run directory, so a resumed film
    continues as if it had not been interrupted.

    Parameters
    ----------
    config : VideoConfig
    flow : callable or None
        As from `find_flow`.
    frame : Frame
        The first frame; all frames have its size.
    say : callable
        Called with a message about the assumptions for each picture file.

    Attributes
    ----------
    scene : int
        The number of the current scene: 1, 2, ...
    """

    def __init__(self, config, flow, frame, say):
        self.config, self.flow, self.scene = config, flow, 0
        self.model = load_trunk(config)
        check_xla(config, self.model)
        for layers in (config.content_layers, config.style_layers or OWN_LAYERS[config.method]):
            resolve_layers(self.model, layers)
        file_size = frame.picture.shape[:2]
        try:
            size = fit_size(parse_size(config.size), file_size)
        except ImageError as error:
            raise ImageError(f"{config.content}: {error}") from None
        self.size = divisible_size(size, (2, 2))  # H.264 stores color at half the resolution
        # Masks are loaded for each frame. The styles are loaded here, with options that need no
        # masks.
        plain = config.changed(masks=None, keep_content=False, color=AS_PAINTED)
        self.paintings = load_paintings(plain, self.size, file_size, say)
        entries = config.masks or [NO_MASK] * len(config.style)
        own_map = config.content_map if config.content_map != CONTRAST else None
        *self.masks, self.content_map = (
            Masks(entry, config, self.size, file_size, say)
            for entry in (*entries, own_map or NO_MASK)
        )
        self.recent = deque(maxlen=max(config.links))  # (number, picture)
        self.first, self.task = None, None
        if config.normalize:
            images = self._images(self._fitted(frame), say)
            styles = [style.image for style in images["style_image"]]
            self.model = normalize_trunk(self.model, [images["content_image"], *styles])

    def begin(self, frame):
        """Check the inputs of the first scene before anything is written."""
        self._begin_scene(self._fitted(frame))
        task_levels(self._scene_task())  # rejects levels that are too small
        self.scene = 0

    def pass_by(self, number, frame, scene):
        """Record a frame that was painted before the run was resumed."""
        fitted = self._fitted(frame)
        if scene != self.scene:
            self._begin_scene(fitted)
        self.recent.append((number, fitted.picture))

    def paint(self, number, frame, folder, **options):
        """Paint the next frame.

        Parameters
        ----------
        number : int
            The number of the frame, from 1.
        frame : Frame
        folder : path
            The directory with the painted images of the previous frames.
        **options
            Options of `minimize`.

        Returns
        -------
        Result, float, float
            The result, the share of the pixels that were compared with earlier frames, and the
            flicker of the frame; see `Row`.
        """
        fitted = self._fitted(frame)
        motions = self._motions(fitted.picture)
        if not motions:
            self._begin_scene(fitted)
        images = self._images(fitted)
        finish = images.pop("finish")
        task, share, own = self._scene_task(), 0.0, self._own(number)
        if motions or own is not None:
            painted = [load_painted(folder, earlier) for earlier, _ in motions]
            followed, start = follow(painted, [motion for _, motion in motions], images, own)
            task = self._next_task(task, images, followed, start)
            share = float(np.mean(followed.weight))
        result = minimize(task, finish=finish, **options)
        self.recent.append((number, fitted.picture))
        return result, share, self._flicker(folder, result.picture, motions)

    def _own(self, number):
        """Return the image of a frame in the pass before, (1, H, W, 3); None: this is the first."""

    def _fitted(self, frame):
        picture = resize_picture(frame.picture, self.size, self.config.resample)
        masks = [mask.of(frame) for mask in self.masks]
        return Fitted(picture, frame.picture, masks, self.content_map.of(frame))

    def _begin_scene(self, fitted):
        self.scene += 1
        self.recent.clear()
        self.first, self.task = fitted, None

    def _motions(self, picture):
        """Return (number, `Motion`) of each linked frame, the nearest first; empty at a cut."""
        if self.flow is None or not self.recent:
            return []
        found = []
        for link in sorted(self.config.links):
            if link > len(self.recent):
                break
            number, earlier = self.recent[-link]
            motion = find_motion(earlier, picture, self.flow)
            if link == 1 and found_again(earlier, picture, motion) < self.config.cut:
                return []
            found.append((number, motion))
        return found

    def _flicker(self, folder, picture, motions):
        """Return the warping error of a painted frame from the previous one, both as saved."""
        if not motions:
            return math.nan
        number, motion = motions[0]
        before = read_picture(picture_path(folder, number), say=None)
        return warping_error(before, picture, motion)

    def _images(self, fitted, say=None):
        paintings = self.paintings
        if self.config.masks:
            paintings = [replace(p, mask=mask) for p, mask in zip(paintings, fitted.masks)]
        config, given_map = self.config, {}
        if fitted.content_map is not None:
            config = config.changed(content_map=None)
            given_map = {"content_map": fitted.content_map}
        content = fitted.picture, fitted.photograph
        images = load_images(config, self.model.space, say, content=content, paintings=paintings)
        return {**images, **given_map}

    def _scene_task(self):
        """Return the task of the scene's first frame; all its frames use these style targets."""
        if self.task is None:
            images = self._images(self.first)
            del images["finish"]
            task = make_task(**images, model=self.model, config=self.config.transfer())
            term = temporal_term(self.config, task)
            objective = replace(task.objective, terms=(*task.objective.terms, term))
            self.task = replace(
                task, objective=objective, targets={**task.targets, **targets_of(term, task)}
            )
        return self.task

    def _next_task(self, task, images, followed, start):
        """Return the task of a frame that is not the first of its scene."""
        content = images["content_image"]
        # The style's colors are those for the scene's first frame; the masks are this frame's.
        styles = [
            replace(style, mask=own.mask) for style, own in zip(task.styles, images["style_image"])
        ]
        content_term = [term for term in task.objective.terms if term.name == "content"]
        task = replace(
            task,
            content_image=content,
            styles=styles,
            start=start,
            config=task.config.changed(
                iterations=self.config.frame_iterations,
                levels=1,
                min_size=None,
                level_iterations=None,
            ),
        )
        # The targets of some methods depend on the content, and masks weight the style's targets.
        if task.config.method in MATCHES or any(mask.moving for mask in self.masks):
            targets = task.objective.targets(content, styles)
        else:
            targets = dict(task.targets)
            for term in content_term:
                targets |= targets_of(term, task)
        if "content_map" in images:
            targets = with_content_map(targets, task.objective.model, images["content_map"])
        targets["temporal"] = {**targets["temporal"], "target": followed}
        return replace(task, targets=targets, content_map=images.get("content_map"))


def targets_of(term, task):
    """Return the targets of one term for a task, as an entry of `Objective.targets`."""
    target = term.targets(task.objective, task.content_image, task.styles)
    return {term.name: {"weight": tf.constant(term.weight, tf.float32), "target": target}}


def temporal_term(config, task):
    """Return the temporal term; with the unit "paper", its loss is a sum like the others."""
    values = 1 if config.unit == "relative" else task.start.size
    return TemporalTerm.of_gray_levels(config.temporal_weight * values, task.objective.model.space)


def begins_scene(earlier, picture, flow, cut):
    """Return whether there is a cut between two frames, (H, W, 3) uint8, the earlier one first."""
    return flow is None or found_again(earlier, picture, find_motion(earlier, picture, flow)) < cut


def found_again(earlier, picture, motion):
    """Return the share of a frame that an earlier one shows in about the same colors."""
    change = np.abs(picture - warp(earlier, motion.backward)).max(-1)
    return float(np.mean(~motion.hidden & (change < SAME)))


def follow(painted, motions, images, own=None):
    """Return what a frame is compared with, and its initial image.

    Parameters
    ----------
    painted : sequence of (1, H, W, 3)
        Earlier frames, the nearest first.
    motions : sequence of Motion
    images : dict
        As from `load_images`.
    own : (1, H, W, 3), optional
        The image of this frame in the pass before.

    Returns
    -------
    Followed
        Each pixel is compared with the nearest frame that shows it. The weights for long-term
        consistency of Ruder et al. 2016, ``max(c^(i-j,i) - sum_k c^(i-k,i), 0)`` over the nearer k,
        are 1 for that frame and 0 for all others, so the sum of the losses is the loss of one
        merged image.
    (1, H, W, 3) float32
        The initial image: the nearest frame that shows a pixel, including motion boundaries, or
        else the content ("Short-term consistency by initialization" in the paper). With `own`:
        the mean of both images, or else `own` alone ("Multi-pass algorithm", with the blend
        factors 1/2).
    """
    base = images["content_image"] if own is None else own
    start, image = base[0].copy(), base[0].copy()
    shown = np.zeros(start.shape[:2], bool)
    counted = shown.copy()
    for earlier, motion in zip(painted, motions):
        warped = warp(earlier[0], motion.backward)
        new, sure = ~motion.hidden & ~shown, motion.counts & ~counted
        start[new], image[sure] = warped[new], warped[sure]
        shown |= new
        counted |= sure
    if own is not None:
        start = (start + own[0]) / 2
    weight = counted[np.newaxis, ..., np.newaxis].astype(np.float32)
    return Followed(tf.constant(image[np.newaxis]), tf.constant(weight)), start[np.newaxis]
