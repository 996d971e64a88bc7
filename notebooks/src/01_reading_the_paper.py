# %% [markdown]
# # Reading the paper: what content and style are
#
# This lesson makes the figures of the paper by Gatys, Ecker and Bethge (2015), one by one. It follows tutorial 4,
# "Style Transfer in Heraklion" ([details](../docs/tutorials.md#tutorial-4-style-transfer-in-heraklion)), which
# discusses the figures but contains no complete code. The lesson also completes the class that the tutorial leaves
# unfinished.
#
# **Goals.** After this lesson, you can
#
# 1. explain what the paper means by a content representation and a style representation;
# 2. show that the style representation contains no information about positions;
# 3. read Figures 1 and 3 of the paper, and choose $\alpha$ and $\beta$.
#
# **Contents**
#
# 1. Set up
# 2. A picture first
# 3. The network
# 4. Content: what a layer preserves
# 5. Style: what a Gram matrix preserves
# 6. Both together: alpha and beta
# 7. Max or average pooling
# 8. The unfinished class
# 9. Summary, exercises, references
#
# **You need** some Python and to know what a convolution is, but no network connection.
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
import numpy as np
import tensorflow as tf

import nst_tf as nst

lesson = nst.lesson_mode(mode, minutes={"quick": 1, "default": 6, "full": 30})
STYLE_LAYERS = tuple(f"conv{block}_1" for block in range(1, 6))

# %% [markdown]
# ## 2. A picture first
# > "the representations of content and style in the Convolutional Neural Network are separable"
# > (Gatys, Ecker, Bethge 2015; the tutorial spells it *seperable*)
#
# If so, we can combine the content of one picture with the style of another. We need only the **trunk** of the network:
# its convolutions and poolings, without the classifier. The cell below loads VGG-19 if its file is in `model/`.
# Otherwise, it loads the *embedded* network (the one included in nst_tf), VGG-16, which is smaller than the paper's
# VGG-19 and was also trained on ImageNet.

# %%
model = nst.load_vgg_model()
print(model.name)
kernels = {name: np.array(model[name].kernel) for name in model.convolutions}
content, content_image = nst.load_image("images/content/rocket.jpg", size=lesson.size, crop=True)
style, style_image = nst.load_image("images/style/night_strokes.jpg", size=lesson.size, crop=True)


# %% [markdown]
# **L-BFGS**, the optimizer that the paper's authors used, changes the pixels. It estimates the curvature of the loss
# from the last gradients and therefore needs few iterations. (`lbfgs-fixed` means L-BFGS without a line search.) Lesson
# 2 uses Adam, as tutorial 0 does.


# %%
def stylize(model, **changes):
    """Return the result of a short run with the losses of the paper."""
    parameters = {
        "alpha": 1e-4,
        "beta": 1.0,
        "tv_weight": 0.0,
        "optimizer": "lbfgs-fixed",
        "iterations": lesson.iterations,
    }
    return nst.style_transfer(content_image, style_image, model, **{**parameters, **changes})


result = stylize(model)

# %%
losses = result.history
assert losses[-1]["total"] < 0.5 * losses[0]["total"], "the loss has more than halved"
assert np.isfinite(result.image).all()
assert result.picture.dtype == np.uint8, "numbers from 0 to 255"

# %% tags=["figure"]
show(
    nst.show_images(
        content, style, result.picture, titles=["content", "style", "result"], height=2.3
    ),
    "A rocket on its launch pad, a moonlit lake in swirling strokes, and the rocket in these "
    f"strokes ({result.iterations} iterations, from the content).",
)

# %% [markdown]
# The rest of this lesson explains how the picture was made. (`crop` cuts both pictures to the same shape instead of
# stretching them.)
#
# ## 3. The network
# VGG is a sequence of blocks: convolutions (padded, so the size does not change), each followed by a ReLU, and then a
# pooling that halves the size. The paper uses the 16 convolutions and 5 poolings of the 19-layer network, without its
# classifier.

# %%
fields = nst.receptive_fields(model)
maps = nst.extract_features(model, content_image, model)
print("layer      H    W    N  sees")
for name, feature_map in maps.items():
    _, H, W, N = feature_map.shape
    print(f"{name:9}{H:4} {W:4} {N:4}  {fields[name].size} pixels")

# %% [markdown]
# $N$ filters are evaluated at $M = H \cdot W$ positions. Deeper layers have fewer positions, and each position depends
# on a larger part of the picture, its **receptive field**: a 3x3 filter adds one position on each side, and a 2x2
# pooling adds one position. After a pooling, neighboring positions are twice as many pixels apart.
#
# > The embedded VGG-16 has 13 convolutions. VGG-19 has 16.


# %%
def seen_by(layers):
    """Return the width of the receptive field of each layer in pixels; names are in order."""
    size, step, seen = 1, 1, {}
    for name in layers:
        pooling = "pool" in name
        size += step if pooling else 2 * step
        step *= 2 if pooling else 1
        seen[name] = size
    return seen


assert seen_by(["conv", "conv"]) == {"conv": 5}, "two 3x3 filters see 5 pixels"
assert seen_by(model) == {name: fields[name].size for name in model}
assert all((feature_map >= 0).numpy().all() for feature_map in maps.values()), "after a ReLU"

# %% [markdown]
# *Predict:* how do the channels of a deep layer differ from those of the first layer?

# %% tags=["figure"]
show(
    nst.show_feature_maps(model, content_image, "conv1_1", count=8),
    "Eight channels of conv1_1 for the rocket: the picture is intact, as edges and shades.",
)

# %% tags=["figure"]
show(
    nst.show_feature_maps(model, content_image, "conv3_1", count=8),
    "Eight channels of conv3_1: coarser, and bright where a pattern is.",
)

# %% tags=["figure"]
show(
    nst.show_feature_maps(model, content_image, "conv4_2", count=8),
    "Eight channels of conv4_2: blobs that show where something is, not its appearance.",
)

# %% [markdown]
# ## 4. Content: what a layer preserves
# The tutorial says that the first layer leaves the picture intact and that the last one preserves only "shapes". The
# paper tests this (Figure 1, bottom): start from **white noise** and change the pixels until the layer has the same
# features as for the photograph. This minimizes equation (1), where $F$ are the features of the current picture and $P$
# those of the photograph:
#
# $$L_\text{content} = \frac{1}{2} \sum_{i,j} (F_{ij} - P_{ij})^2$$
#
# Information that the layer has discarded does not come back.


# %%
def content_loss(F, P):
    return 0.5 * tf.reduce_sum((F - P) ** 2)


P = maps["conv1_1"]
moved = P + 1.0
assert content_loss(P, P) == 0
np.testing.assert_allclose(content_loss(moved, P), nst.content_loss(moved, P), rtol=1e-4)
np.testing.assert_allclose(content_loss(moved, P), 0.5 * tf.size(P).numpy(), rtol=1e-3)

# %% [markdown]
# *Predict:* which layer gives the best reconstruction: conv1_1, conv3_1 or conv4_2?

# %%
inverted_layers = ["conv1_1", "conv3_1", "conv4_2"]
inversions = [
    nst.reconstruct_content(model, content_image, layer, iterations=lesson.iterations)
    for layer in inverted_layers
]

# %% [markdown]
# The similarity to the photograph is measured in decibels. PSNR, the peak signal-to-noise ratio, is
# $10 \log_{10} (255^2 / \text{mean squared error})$; higher is more similar.


# %%
def psnr(one, other):
    """Return the peak signal-to-noise ratio of two pictures, in decibels."""
    error = np.mean((one.astype(np.float64) - other) ** 2)
    return 10 * np.log10(255**2 / error)


decibels = [psnr(inversion.picture, content) for inversion in inversions]
gray = psnr(np.full_like(content, 128), content)
print({layer: round(float(value), 1) for layer, value in zip(inverted_layers, decibels)})
print(f"plain gray: {gray:.1f}")

# %%
assert decibels[0] > gray + 5, "conv1_1 preserves the pixels"
assert decibels[-1] < decibels[0] - 5, "conv4_2 does not"
for inversion in inversions:
    assert inversion.history[-1]["content"] < 0.5 * inversion.history[0]["content"]

# %% tags=["figure"]
titles = [f"{layer}: {value:.0f} dB" for layer, value in zip(inverted_layers, decibels)]
show(
    nst.show_images(
        content, *[i.picture for i in inversions], titles=["photograph", *titles], height=2
    ),
    f"The rocket and its reconstructions from noise by three layers, {lesson.iterations} "
    "iterations: from conv1_1 nearly identical; from conv3_1 with a fine pattern in the sky; "
    "from conv4_2 only outlines and lights, in wrong colors.",
)

# %% [markdown]
# Pixel by pixel, the picture from conv4_2 is no closer to the photograph than plain gray: PSNR compares pixels, and
# this layer has discarded them. Still, the rocket and the towers are easy to recognize. So *content* is what a deep
# layer preserves: which objects are where, without the exact pixels.
#
# ## 5. Style: what a Gram matrix preserves
# In equation (3), $F$ has one row for each position and one column for each filter. An entry of the Gram matrix $G$
# measures how strongly two filters respond together, summed over all positions:
#
# $$G_{ij} = \sum_k F_{ki} F_{kj}$$


# %%
def gram_matrix(F):
    return tf.matmul(F, F, transpose_a=True)  # F is M x N, so G is N x N


F = tf.reshape(maps["conv3_1"], (-1, maps["conv3_1"].shape[3]))
G = gram_matrix(F)
np.testing.assert_allclose(G, nst.gram_matrix(maps["conv3_1"])[0], rtol=1e-3)
print(F.shape, G.shape)

# %% [markdown]
# **Test:** to check that the Gram matrix does not depend on positions, shuffle them.
#
# *Predict:* how do the Gram matrix and the content loss change?

# %%
order = np.random.default_rng(0).permutation(F.shape[0])
shuffled = tf.gather(F, order)
np.testing.assert_allclose(gram_matrix(shuffled), G, rtol=1e-5, atol=1e-5 * float(tf.reduce_max(G)))
assert content_loss(shuffled, F) > 0
print(f"Gram matrix: the same; content loss: {float(content_loss(shuffled, F)):.3g}")

# %% [markdown]
# The next figure repeats the top of Figure 1. It starts from white noise and matches only the style of the painting,
# with more and more layers.
#
# *Predict:* will the moon come back? Will there be several?

# %%
counts = [1, 3, 5]
textures = [
    nst.reconstruct_style(model, style_image, STYLE_LAYERS[:count], iterations=lesson.iterations)
    for count in counts
]
for texture in textures:
    assert texture.history[-1]["style"] < 0.8 * texture.history[0]["style"]

# %% tags=["figure"]
titles = ["painting", "conv1_1", "to conv3_1", "to conv5_1"]
show(
    nst.show_images(style, *[t.picture for t in textures], titles=titles, height=2),
    "The painting and three textures. With conv1_1 there are only yellow and blue patches; with "
    "three layers strokes and yellow spots; with all five also rings like those around moon and "
    f"stars, in several places. {lesson.iterations} iterations.",
)

# %% [markdown]
# ## 6. Both together: alpha and beta
# Equation (7), with the photograph $\vec p$, the painting $\vec a$ and the generated picture $\vec x$:
#
# $$L_\text{total}(\vec p, \vec a, \vec x) = \alpha \, L_\text{content}(\vec p, \vec x) + \beta \,
# L_\text{style}(\vec a, \vec x)$$
#
# Figure 3 of the paper varies both the layers and the ratio: a **row** is a set of style layers (A is one layer, E
# five), a **column** is a ratio $\alpha / \beta$, from low on the left to high on the right.
#
# > **Error in the tutorial.** It calls $\alpha$ and $\beta$ "practically the optimisers". They are weights; the
# > optimizer follows the gradient of the weighted sum.
#
# > **Pitfall: a ratio without its convention.** A ratio such as $10^{-3}$ is valid only for the equations of the paper.
# > A program that uses means where the paper uses sums has a different balance at the same $\alpha / \beta$. Before you
# > copy a ratio, check what each loss is divided by.
#
# We painted twenty-four such pictures in advance with `notebooks/make_grid.py`, starting from the photograph and from
# noise. Choose one:

# %% tags=["panel"]
grid = nst.read_grid("notebooks/pictures/grid.json")
nst.panel(grid)

# %% [markdown]
# The panel appears only in a running notebook with ipywidgets. These two sheets show the same pictures:

# %% tags=["figure"]
show(
    nst.show_sheet(grid.sheet(start="photograph"), height=1.4),
    "Figure 3, from the photograph: rows are style layers A (conv1_1), C (to conv3_1), E (all "
    "five); columns alpha/beta from 1e-5 to 1e-2. Row A preserves the scene and adds ripples; in "
    "C and E the strokes and moons of the painting dominate. The photograph gets clearer to the "
    f"right. {grid.caption}.",
)

# %% tags=["figure"]
show(
    nst.show_sheet(grid.sheet(start="noise"), height=1.4),
    "The same from noise, as in the paper: C and E are textures with moons in many places; in "
    f"row A, and on the right, rocket and towers are visible. {grid.caption}.",
)

# %% [markdown]
# The next cells paint at the size of this lesson, with a low ratio and with one that is higher than those of the
# sheets.
#
# *Predict:* which of the two has the lower content loss?

# %%
low, high = stylize(model, alpha=1e-5), stylize(model, alpha=1e-1)
assert high.history[-1]["content"] < low.history[-1]["content"], "a high alpha preserves content"
assert low.history[-1]["style"] < high.history[-1]["style"], "at the cost of the style"

# %% tags=["figure"]
show(
    nst.show_images(
        low.picture, high.picture, titles=["alpha/beta 1e-5", "alpha/beta 1e-1"], height=2.4
    ),
    "The rocket at two ratios: in strokes everywhere, and with the towers and lights of the "
    "photograph under a rippled sky.",
)

# %% [markdown]
# ## 7. Max or average pooling
# The paper says: "replacing the max-pooling operation by average pooling improves the gradient flow and one obtains
# slightly more appealing results". Compare the two.

# %%
by_max = stylize(nst.load_vgg_model(pooling="max"))
assert not np.array_equal(by_max.picture, result.picture)

# %% tags=["figure"]
show(
    nst.show_images(result.picture, by_max.picture, titles=["average", "max"], height=2.4),
    "The same run with average and with max pooling: both have the strokes of the painting; the "
    "moons are in different places.",
)

# %% [markdown]
# ## 8. The unfinished class
# The tutorial ends with a class whose `apply` only sets `self.x = None`. Here is the complete class, in ten lines:


# %%
class StyleTransfer:
    """Combine the content of a photograph with the style of a painting."""

    def __init__(self, p, a, model, **parameters):
        self.p, self.a, self.model, self.parameters = p, a, model, parameters

    def apply(self):
        white_noise = nst.generate_noise_image(self.p, 1.0, noise="gaussian", amplitude=50)
        result = nst.style_transfer(
            self.p, self.a, self.model, init_image=white_noise, **self.parameters
        )
        self.x = result.picture
        return self.x


# %%
x = StyleTransfer(
    content_image,
    style_image,
    model,
    alpha=1e-2,
    tv_weight=0.0,
    optimizer="lbfgs",
    iterations=lesson.iterations,
).apply()
assert x.shape == content.shape
assert x.min() >= 0
assert x.max() <= 255

# %% tags=["figure"]
show(
    nst.show_images(x, titles=["x, from white noise"], height=2.6),
    f"After {lesson.iterations} iterations from white noise, alpha/beta 0.01: the rocket with its "
    "lights, in the strokes and colors of the painting.",
)

# %%
assert all(np.array_equal(model[name].kernel, kernels[name]) for name in model.convolutions)
print("the runs have not changed the network")

# %% [markdown]
# ## 9. Summary
# - Content is the feature map of a deep layer. Its inversion shows the layout, not the pixels.
# - Style is a Gram matrix: which filters respond together. Shuffling the positions does not change it.
# - With more style layers, patterns get larger; the first three layers have the largest effect. A higher
#   $\alpha / \beta$ preserves more of the photograph.
# - The paper starts from white noise. Starting from the photograph is faster, and the result stays closer to it.
#
# ### Exercises
# The labels are programmers' slang: *tweak* is a small change, *twiddle* a larger one, and *frob* an open-ended
# experiment.
#
# 1. **Tweak.** Invert conv2_1. Between the values of which two pictures above will its PSNR be?
# 2. **Twiddle.** Make a texture from `STYLE_LAYERS[4:]`, conv5_1 alone. Why does it have no fine strokes?
# 3. **Frob.** Figure 1 has five rows, A to E. Make all five textures, from `STYLE_LAYERS[:1]` to `STYLE_LAYERS[:5]`.
#    From which row on can you see no difference at this size? Compare the receptive field of conv5_1 (section 3) with
#    the size of the picture.
#
# ### References
# - L. A. Gatys, A. S. Ecker, M. Bethge: *A Neural Algorithm of Artistic Style*, 2015,
#   [arXiv:1508.06576](https://arxiv.org/abs/1508.06576): Figures 1 and 3, equations (1) to (7).
# - L. A. Gatys, A. S. Ecker, M. Bethge: *Texture Synthesis Using Convolutional Neural Networks*,
#   2015, [arXiv:1505.07376](https://arxiv.org/abs/1505.07376).
# - A. Mahendran, A. Vedaldi: *Understanding Deep Image Representations by Inverting Them*, 2015,
#   [arXiv:1412.0035](https://arxiv.org/abs/1412.0035).
# - Pictures and their licenses: `images/CREDITS.md`.
