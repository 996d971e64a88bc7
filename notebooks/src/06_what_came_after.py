# %% [markdown]
# # What came after Gram matrices
#
# This lesson compares five later methods with the method of Gatys, Ecker and Bethge (2015), on one photograph and one
# painting: moments, nearest neighbors, optimal transport, regions, and films. It follows papers, which are listed at
# the end, instead of a tutorial.
#
# **Goals.** After this lesson, you can
#
# 1. explain what each method matches, and write its loss;
# 2. choose a method for a picture;
# 3. paint the frames of a film without flicker, and measure the flicker.
#
# **Contents**
#
# 1. Set up
# 2. The baseline: Gram matrices
# 3. Moments: means and covariances
# 4. Nearest neighbors
# 5. Optimal transport
# 6. Regions
# 7. Films
# 8. Comparison
# 9. Summary, exercises, references
#
# **You need** lesson 2, but no network connection. Section 7 also needs the packages in `requirements-film.txt`;
# without them, it shows a saved picture.
# *In Colab, or if the cell below asks for it, first run `!git clone ADDRESS nst_tf`, with the address of the project,
# and `%pip install -q -r nst_tf/requirements.txt`, each in a new cell.*

# %% [markdown]
# ## 1. Set up
# `mode` sets how long the lesson takes: `"quick"`, `"default"` or `"full"`.

# %%
import os
import sys
from pathlib import Path

NEEDED = "nst_tf/transfer.py", "nst_tf/models/data/vgg16_imagenet.npz", "images/style/waves.jpg"
places = [Path(), Path(".."), Path("nst_tf")]  # the project, notebooks/, or next to a clone
found = [place for place in places if all((place / name).is_file() for name in NEEDED)]
if not found:
    searched = ", ".join(str(place.resolve()) for place in places)
    raise SystemExit(
        "Clone the project next to this notebook, as nst_tf, or start Jupyter in the project. In "
        "Colab: `!git clone ADDRESS nst_tf` in a new cell, with the address of the project. "
        f"The lessons need code, weights and pictures ({', '.join(NEEDED)}); an installed package "
        f"does not contain the pictures. Searched: {searched}"
    )
os.chdir(found[0])
sys.path.insert(0, str(Path.cwd()))
try:
    from nst_tf import show  # imports TensorFlow without its start-up messages
except ModuleNotFoundError as error:
    install = f'%pip install -r "{Path("requirements.txt").resolve()}"'
    raise SystemExit(f"{error}: run `{install}` in a new cell, then this one again") from None

# %% tags=["parameters"]
mode = "default"

# %%
from pathlib import Path

import numpy as np
import tensorflow as tf
from scipy.optimize import linear_sum_assignment

import nst_tf as nst
from nst_tf.config import OWN_LAYERS
from nst_tf.objective import neighbors, transport
from nst_tf.objective.statistics import moments_loss
from nst_tf.video import config as film_config
from nst_tf.video import film, flicker, flow, sample

lesson = nst.lesson_mode(mode, minutes={"quick": 1, "default": 7, "full": 40})
SIDE = lesson.size[1] * 3 // 4
LONG = lesson.iterations * (1 if lesson.name == "quick" else 2)  # shared by more levels
print(
    f"in this lesson: the longer side has {SIDE} pixels; neighbors and transport: {LONG} iterations"
)

# %% [markdown]
# ## 2. The baseline: Gram matrices
# All methods paint the same pair from coarse to fine, with the same weights unless stated otherwise. The baseline
# matches Gram matrices, divided by the number $M$ of positions. In the unit `relative`, each loss is divided by the
# energy of its target (the sum of its squares), so the weights have a similar meaning for every method:
#
# $$E_\ell = \frac{\sum_{i,j} (G_{ij} / M - A_{ij} / M')^2}{\sum_{i,j} (A_{ij} / M')^2}$$

# %%
model = nst.load_vgg_model(pooling="max")
content, content_image = nst.load_image("images/content/coffee.jpg", size=SIDE)
style, style_image = nst.load_image("images/style/stained_glass.jpg", size=SIDE)


def paint(method, styles=style_image, **changes):
    """Return the picture that a method paints; `changes` are parameters of `TransferConfig`."""
    parameters = {
        "unit": "relative",
        "alpha": 1.0,
        "beta": 12.0,
        "tv_weight": 8.0,
        "schedule": "fast",
        "style_weighting": "quarter-deepest",
        "iterations": lesson.iterations,
    }
    return nst.style_transfer(
        content_image, styles, model, method=method, **{**parameters, **changes}
    ).picture


by_gram = paint("gram")
assert by_gram.shape == content.shape
assert not np.array_equal(by_gram, content)

# %% tags=["figure"]
show(
    nst.show_images(content, style, by_gram, titles=["content", "style", "Gram"], height=2.3),
    "A cup of coffee, stained glass, and the cup painted with Gram matrices: panes of glass "
    f"between lead lines. {lesson.iterations} iterations, {model.name}.",
)

# %% [markdown]
# ## 3. Moments: means and covariances
# **Moments** are the mean $m_i$ of each channel over the positions and the covariance $C_{ij}$ of each pair of
# channels. A Gram matrix divided by $M$ is the covariance matrix plus the outer product of the means:
#
# $$G / M = C + m \, m^T$$
#
# Activations after a ReLU are never negative, so the means make up most of a Gram matrix, and a loss on Gram matrices
# mostly compares how strongly each channel responds on average. The method `moments` compares means and covariances
# separately. The covariances, which describe strokes and lead lines, then have the same weight as the means:
#
# $$E_\ell = \frac{1}{2} \frac{\sum_i (m_i - m'_i)^2}{\sum_i m'^2_i} +
# \frac{1}{2} \frac{\sum_{i,j} (C_{ij} - C'_{ij})^2}{\sum_{i,j} C'^2_{ij}}$$
#
# Source: K. Crowson's style-transfer-pytorch, which uses means and covariances instead of Gram matrices.
#
# *Predict:* what share of the energy of the painting's Gram matrix comes from the means alone?

# %%
features = nst.extract_features(model, style_image, ["conv3_1"])
mean, covariance = nst.STATISTICS["moments"].measure(features)["conv3_1"]
gram = nst.gram_matrix(features["conv3_1"], per_position=True)
of_means = tf.matmul(mean, mean, transpose_a=True)
np.testing.assert_allclose(gram, covariance + of_means, rtol=1e-3, atol=1e-4 * np.max(gram))
share = float(tf.reduce_sum(of_means**2) / tf.reduce_sum(gram**2))
print(f"{share:.0%} of the energy of the Gram matrix comes from the means")
assert share > 0.5, "more than half"

# %%
target = mean, covariance
assert moments_loss(target, target, relative=True) == 0, "the painting has its own moments"
np.testing.assert_allclose(
    moments_loss((2 * mean, covariance), target, relative=True), 0.5, rtol=1e-5
)
np.testing.assert_allclose(
    moments_loss((mean, 0 * covariance), target, relative=True), 0.5, rtol=1e-5
)
by_moments = paint("moments")

# %% tags=["figure"]
show(
    nst.show_images(by_gram, by_moments, titles=["Gram", "moments"], height=2.4),
    "The cup with Gram matrices and with moments: with moments it has more of the red and yellow "
    "of the painting, and stronger lead lines.",
)

# %% [markdown]
# ## 4. Nearest neighbors
# Moments and Gram matrices are averages, which mix all strokes of a painting. NNST (Neural Neighbor Style Transfer,
# Kolkin and others 2022) copies individual features instead. The features of all style layers at one position $i$ form
# a **hypercolumn** $H_i$. For each position of the photograph, the method chooses the hypercolumn of the painting with
# the smallest centered cosine distance. It then optimizes the picture to match the chosen hypercolumns $S_{NN(i)}$:
#
# $$L_\text{style} = \frac{1}{n} \sum_i \left(1 - \cos(H_i, S_{NN(i)})\right), \qquad
# NN(i) = \arg\min_j \left(1 - \cos(P_i - \bar P, S_j - \bar S)\right)$$
#
# $P$ are the hypercolumns of the photograph, $S$ are those of the painting, and the bar is the mean over all positions.
# (At later levels, $P$ also includes a share of the current picture; see `docs/equations.md`.)

# %%
layers = OWN_LAYERS["neighbors"]


def hypercolumns(image):
    """Return the hypercolumns on a grid of a quarter of the image's sides: (h, w, N)."""
    size = [side // 4 for side in image.shape[1:3]]
    maps = nst.extract_features(model, image, layers)
    return neighbors.hypercolumns(maps, dict.fromkeys(layers, 1.0), size)[0]


P, S = hypercolumns(content_image), hypercolumns(style_image)
rows, others = (tf.reshape(x, (-1, x.shape[-1])) for x in (P, S))
cosines = tf.matmul(
    *[neighbors.unit(neighbors.centered(x)) for x in (rows, others)], transpose_b=True
)
chosen = np.argmax(cosines, 1)
np.testing.assert_allclose(
    1 - np.max(cosines, 1), neighbors.nearest_distances(rows, others), atol=1e-4
)
assert len(set(chosen)) < len(rows), "several positions may choose the same hypercolumn"
print(f"{len(rows)} positions use {len(set(chosen))} of the painting's {len(others)} hypercolumns")

# %% [markdown]
# The next figure shows the colors of the painting at the chosen positions $NN(i)$, which the optimization tries to
# reproduce. The authors use no content loss, because the chosen features already follow the photograph. Therefore,
# `alpha` is 0 here. In the modes `"default"` and `"full"`, the run has twice as many iterations as the others, because
# they are shared by more levels.

# %%
colors = nst.resize_picture(style, S.shape[:2]).reshape(-1, 3)
plan = np.repeat(np.repeat(colors[chosen].reshape(*P.shape[:2], 3), 4, 0), 4, 1)
by_neighbors = paint("neighbors", alpha=0.0, tv_weight=0.0, iterations=LONG)
assert by_neighbors.shape == content.shape
assert not np.array_equal(by_neighbors, by_moments)

# %% tags=["figure"]
show(
    nst.show_images(content, plan, by_neighbors, titles=["content", "plan", "result"], height=2.3),
    f"The cup, the colors of the chosen positions, and the result after {LONG} "
    "iterations: glass in the colors of the painting, with the outlines of cup, saucer and spoon.",
)

# %% [markdown]
# ## 5. Optimal transport
# With nearest neighbors, some features of the painting may never be used. STROTSS (Kolkin, Salavon and Shakhnarovich
# 2019) treats the features as two sets $A$ (picture) and $B$ (painting) without positions. It minimizes the cost of
# moving one set onto the other, the earth mover's distance. The exact distance is expensive to compute, so the method
# uses a lower bound: each vector moves to the nearest vector in the other set, and the larger of the costs of both
# directions counts (eq. 6):
#
# $$\ell_R = \max\left(\frac{1}{n} \sum_i \min_j C_{ij}, \; \frac{1}{m} \sum_j \min_i C_{ij}\right), \qquad
# C_{ij} = 1 - \cos(A_i, B_j)$$
#
# The content loss compares the cosine distances between the positions of the picture with those between the positions
# of the photograph (eq. 5). All features may therefore change together, as long as similar places remain similar. This
# content loss is strong: with `alpha` 1, the photograph hardly changes in so few iterations. Therefore, `alpha` is 0.1
# here.

# %%
rng = np.random.default_rng(0)
first, second = (tf.constant(rng.random((12, 5), np.float32)) for _ in range(2))
order = rng.permutation(12)
assert transport.cosine_emd(first, tf.gather(first, order)) < 1e-5, "the order does not count"
costs = 1 - np.matmul(neighbors.unit(first), tf.transpose(neighbors.unit(second)))
exact = costs[linear_sum_assignment(costs)].mean()
bound = float(transport.cosine_emd(first, second))
assert 0 < bound <= exact + 1e-6, "the bound is never above the exact distance"
print(f"exact distance {exact:.4f}, lower bound {bound:.4f}")

# %%
turn = np.linalg.qr(rng.standard_normal((5, 5)))[0].astype(np.float32)
assert transport.self_similarity_loss(first, tf.matmul(first, turn)) < 1e-4, "all turn together"
assert transport.self_similarity_loss(first, second) > 0.1, "other distances"
by_transport = paint("transport", alpha=0.1, tv_weight=1.0, iterations=LONG)
assert not np.array_equal(by_transport, by_neighbors)

# %% tags=["figure"]
show(
    nst.show_images(by_neighbors, by_transport, titles=["neighbors", "transport"], height=2.4),
    "The cup with nearest neighbors and with optimal transport: with transport the colors are "
    "stronger, the lead lines wider, and round panes like the petals appear on the table.",
)

# %% [markdown]
# ## 6. Regions
# None of these methods knows what a cup is. In neural doodles (Champandard 2016), you specify regions yourself: you
# paint a map of each picture in flat colors. Each color is a region, and each region of the result takes its style only
# from the region of the painting with the same color. The masks of a region, scaled to each layer, are the guides $g$
# and $g'$ that weight the positions (Gatys and others 2017, section 4.1):
#
# $$\frac{G^r_{ij}}{M^r} = \frac{\sum_k g_k F_{ki} F_{kj}}{\sum_k g_k}, \qquad
# L_\text{style} = \sum_r \overline{\text{mask}_r} \sum_\ell w_\ell E^r_\ell$$
#
# *Predict:* on the maps, the cup has the same color as the border of the painting. Which style will the cup have?

# %%
content_map, style_map = "images/map/coffee.png", "images/map/stained_glass.png"
regions = nst.styles_from_maps(
    style_image, content_map, style_map, content.shape[:2], say=lambda line: None
)
covered = sum(region.mask for region in regions)
np.testing.assert_allclose(covered, 1, atol=0.02, err_msg="each pixel belongs to one region")
by_regions = paint("moments", styles=regions)
assert not np.array_equal(by_regions, by_moments)
print(f"{len(regions)} regions")

# %% tags=["figure"]
maps_shown = [nst.read_picture(path) for path in (content_map, style_map)]
show(
    nst.show_images(
        *maps_shown, by_regions, titles=["content map", "style map", "result"], height=2.3
    ),
    "The two maps, and the cup painted with moments in each region: yellow panes for the coffee, "
    "orange petals for the saucer, dark red for the cup, and the blue rays of the painting for "
    "the table.",
)

# %% [markdown]
# ## 7. Films
# If the frames of a film are painted independently, even two frames that differ by one pixel get different strokes, and
# the film flickers. Ruder, Dosovitskiy and Brox (2016) start each frame from the previous painted frame, **warped**,
# that is, moved along the motion of the scene. They also add a loss for the difference from the warped frame. In the
# formula, $\omega$ is the warped frame, and $c_k$ is 1 if the motion of pixel $k$ is known, otherwise 0:
#
# $$L_\text{temporal} = \frac{1}{\sum_k c_k} \sum_k c_k (x_k - \omega_k)^2$$
#
# (The paper divides by the number of all values instead.) The motion, called optical flow, is estimated from the
# frames. For the sample clip, the true motion is also known. It is used to measure the flicker: the root mean square
# difference from the warped previous frame, in gray levels (Lai and others 2018).

# %%
height, width = lesson.size[0] // 2, lesson.size[1] // 2
clip = sample.sample_clip(3, (height, width))
assert not flicker.flicker(clip.frames, clip.motions).any(), "the photographs do not flicker"
frames_folder = Path("output/lesson_film/frames")
for number, frame in enumerate(clip.frames, 1):
    nst.save_image(frames_folder / f"{number:03d}.png", frame)


def paint_film(name, **changes):
    """Return the frames painted by `run_film`; `changes` are parameters of `VideoConfig`."""
    parameters = {
        "content": str(frames_folder),
        "style": ("images/style/stained_glass.jpg",),
        "size": f"{width}x{height}",
        "iterations": lesson.iterations,
        "frame_iterations": lesson.iterations // 2,
        "write": "frames",
    }
    config = film_config.VideoConfig().changed(**{**parameters, **changes})
    quiet = {"say": lambda line: None, "overwrite": True}
    painted = film.run_film(config, f"output/lesson_film/{name}", **quiet)
    return [nst.read_picture(path) for path in sorted(painted.glob("0*.png"))]


# %%
films = {}
try:
    flow.find_flow("auto")
except nst.ConfigError as error:
    print(str(error).split(";")[0])
else:
    films["independent"] = paint_film("independent", flow="none")
    films["coherent"] = paint_film("coherent")
errors = {
    name: float(flicker.flicker(frames, clip.motions).mean()) for name, frames in films.items()
}
print({name: f"{value:.1f} gray levels" for name, value in errors.items()})
assert not films or errors["coherent"] < 0.7 * errors["independent"], "less flicker"

# %% tags=["figure"]
if films:
    labels = [f"{name}, frame {number}" for name in films for number in (1, 2, 3)]
    sheet = nst.contact_sheet([*films["independent"], *films["coherent"]], labels, columns=3)
else:
    sheet = nst.read_picture("notebooks/pictures/film.jpg")  # painted in the mode "default"
show(
    sheet,
    "Three frames of the sample clip, a cat with a moving ellipse. Painted independently (top), "
    "the panes change from frame to frame; painted coherently (bottom), they move with the scene.",
)

# %% [markdown]
# ## 8. Comparison
# Each method minimizes its own loss, so you can't compare the losses. `nst.score` measures all pictures in the same
# way: by their distances from the features of the photograph and from the moments of the painting, both as fractions of
# the target's energy. It favors `moments`, which minimizes nearly the same distance.
#
# *Predict:* which picture has the smallest style distance?

# %%
painted = {
    "Gram": by_gram,
    "moments": by_moments,
    "neighbors": by_neighbors,
    "transport": by_transport,
    "regions": by_regions,
}
scores = {
    name: nst.score(picture, content_image, style_image, model) for name, picture in painted.items()
}
before = nst.score(content, content_image, style_image, model)
print(f"{'':12}{'content':>9}{'style':>9}")
for name, numbers in {"photograph": before, **scores}.items():
    print(f"{name:12}{numbers['content_distance']:9.3f}{numbers['style_distance']:9.3f}")
for name, numbers in scores.items():
    assert numbers["style_distance"] < before["style_distance"], f"{name}: nearer to the painting"

# %% tags=["figure"]
overview = nst.contact_sheet([content, *painted.values()], ["photograph", *painted], columns=3)
show(
    overview,
    "The photograph and the five results. With neighbors and transport, cup and spoon have the "
    "clearest outlines, although their content distance is the largest; with regions, each part has "
    "the colors of its region.",
)

# %% [markdown]
# ## 9. Summary
# - The method `moments` separates the means from the covariances. It takes about as long as Gram matrices.
# - The method `neighbors` copies the features of single positions of the painting. The method `transport` also uses the
#   features that `neighbors` would never choose.
# - With maps, each part of the picture takes its style from one part of the painting. Maps work with all of these
#   methods.
# - In a film, each frame starts from the warped previous frame, and a temporal loss penalizes the difference from it.
#
# ### Exercises
# The labels are programmers' slang: *tweak* is a small change, *twiddle* a larger one, and *frob* an open-ended
# experiment.
#
# 1. **Tweak.** Paint with `method="wasserstein"` and with `method="patches"`. `docs/equations.md` has their losses.
#    Which of the two results is more similar to `by_neighbors`, and why?
# 2. **Twiddle.** Set `content_match=0.25` for the method `neighbors`. What happens to the outline of the cup?
# 3. **Frob.** Paint with `method="transport"` and `styles=regions`. Which region changes most?
# 4. **Frob.** Set `temporal_weight=0.0` in `paint_film("coherent")`, so that each frame only starts from the warped
#    previous frame. How much of the reduction in flicker remains?
#
# ### References
# - N. Kolkin, M. Kucera, S. Paris, D. Sykora, E. Shechtman, G. Shakhnarovich: *Neural Neighbor Style Transfer*, 2022,
#   [arXiv:2203.13215](https://arxiv.org/abs/2203.13215).
# - N. Kolkin, J. Salavon, G. Shakhnarovich: *Style Transfer by Relaxed Optimal Transport and Self-Similarity*, 2019,
#   [arXiv:1904.12785](https://arxiv.org/abs/1904.12785).
# - A. J. Champandard: *Semantic Style Transfer and Turning Two-Bit Doodles into Fine Artworks*, 2016,
#   [arXiv:1603.01768](https://arxiv.org/abs/1603.01768).
# - L. A. Gatys and others: *Controlling Perceptual Factors in Neural Style Transfer*, 2017,
#   [arXiv:1611.07865](https://arxiv.org/abs/1611.07865).
# - M. Ruder, A. Dosovitskiy, T. Brox: *Artistic Style Transfer for Videos*, 2016,
#   [arXiv:1604.08610](https://arxiv.org/abs/1604.08610).
# - W.-S. Lai and others: *Learning Blind Video Temporal Consistency*, 2018,
#   [arXiv:1808.00449](https://arxiv.org/abs/1808.00449).
# - K. Crowson: *style-transfer-pytorch*,
#   [github.com/crowsonkb/style-transfer-pytorch](https://github.com/crowsonkb/style-transfer-pytorch).
# - Pictures and their licenses: `images/CREDITS.md`.
