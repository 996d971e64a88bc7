# %% [markdown]
# # Reading the paper: what content and style are
#
# Tutorial 4 ("Style Transfer in Heraklion") reads the paper of Gatys, Ecker and Bethge (2015)
# figure by figure and ends before any code. Here each figure is made, and the class that the
# tutorial leaves open is finished.
#
# **Goals.** Afterwards you can
#
# 1. say what the paper means by a content and by a style representation;
# 2. show that style forgets where things are;
# 3. read Figures 1 and 3 of the paper, and set $\alpha$ and $\beta$.
#
# **Contents**
#
# 1. Set up
# 2. A picture first
# 3. The network
# 4. Content: what a layer keeps
# 5. Style: what a Gram matrix keeps
# 6. Both together: alpha and beta
# 7. Max or average pooling
# 8. The unfinished class
# 9. Summary, exercises, references
#
# **You need** Python, and what a convolution is. No network connection.
# *In Colab, or where the cell below asks for it: first run `!git clone ADDRESS nst_tf`, with the address
# of the project, and `%pip install -q -r nst_tf/requirements.txt`, each in a new cell.*

# %% [markdown]
# ## 1. Set up
# `mode` decides how long you wait: `"quick"`, `"default"` or `"full"`.

# %%
import os
import sys
from pathlib import Path

NEEDED = "nst_tf/transfer.py", "nst_tf/models/data/vgg16_imagenet.npz", "images/style/waves.jpg"
places = [Path(), Path(".."), Path("nst_tf")]  # here, Jupyter's way from notebooks/, or beside
found = [place for place in places if all((place / name).is_file() for name in NEEDED)]
if not found:
    searched = ", ".join(str(place.resolve()) for place in places)
    raise SystemExit(
        "Clone the project beside this notebook, as nst_tf, or start Jupyter in the project. In "
        "Colab: `!git clone ADDRESS nst_tf` in a new cell, with the address of the project. "
        f"The lessons need code, weights and pictures ({', '.join(NEEDED)}); an installed package "
        f"does not have the pictures. Searched: {searched}"
    )
os.chdir(found[0])
sys.path.insert(0, str(Path.cwd()))
try:
    from nst_tf import show  # brings TensorFlow along, without its start-up messages
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
# If they are, one can take the content of one picture and the style of another. The network's
# convolutions, its **trunk**, are all that is needed. Where VGG-19's file lies in `model/`, the line
# below names it. Otherwise it is the *embedded* network: VGG-16, the smaller sister of the paper's
# VGG-19, trained on ImageNet as well.

# %%
model = nst.load_vgg_model()
print(model.name)
kernels = {name: np.array(model[name].kernel) for name in model.convolutions}
content, content_image = nst.load_image("images/content/rocket.jpg", size=lesson.size, crop=True)
style, style_image = nst.load_image("images/style/night_strokes.jpg", size=lesson.size, crop=True)


# %% [markdown]
# The pixels are moved downhill by **L-BFGS**, the optimiser of the paper's authors: from the last
# gradients it guesses how the slope bends, and so gets along in few steps ("fixed": without a line
# search at each). Lesson 2 takes Adam, as tutorial 0 does.


# %%
def stylize(model, **changes):
    """Return the result of a short run by the paper's sums."""
    knobs = {
        "alpha": 1e-4,
        "beta": 1.0,
        "tv_weight": 0.0,
        "optimizer": "lbfgs-fixed",
        "iterations": lesson.iterations,
    }
    return nst.style_transfer(content_image, style_image, model, **{**knobs, **changes})


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
    f"A rocket on its launch pad, a moonlit lake in strokes, and the rocket in those strokes "
    f"({result.iterations} iterations, start from the content).",
)

# %% [markdown]
# How? The rest of the notebook takes this picture apart. (`crop` cuts both pictures to one shape;
# nothing is stretched.)
#
# ## 3. The network
# VGG is a chain of blocks: convolutions (with padding, so that the size stays), each followed by
# a ReLU, then a pooling that halves the size. The paper uses the 16 convolutions and 5 poolings
# of the 19-layer network and leaves the classifier out.

# %%
fields = nst.receptive_fields(model)
maps = nst.extract_features(model, content_image, model)
print("layer      H    W    N  sees")
for name, feature_map in maps.items():
    _, H, W, N = feature_map.shape
    print(f"{name:9}{H:4} {W:4} {N:4}  {fields[name].size} pixels")

# %% [markdown]
# $N$ filters look at $M = H \cdot W$ places. The deeper, the fewer places and the more each of them
# sees of the picture: a 3x3 filter adds one place on either side, a 2x2 pooling one place, and from
# there on the places lie twice as far apart.
#
# > The embedded trunk has 13 convolutions (VGG-16's). With VGG-19's file in `model/` you see 16.


# %%
def seen_by(layers):
    """Return how many pixels across each layer sees, by the layers' names in order."""
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
# *Predict:* what will the channels of a deep layer look like, compared with those of the first?

# %% tags=["figure"]
show(
    nst.show_feature_maps(model, content_image, "conv1_1", count=8),
    "Eight channels of conv1_1 on the launch: the picture is intact, as edges and shades.",
)

# %% tags=["figure"]
show(
    nst.show_feature_maps(model, content_image, "conv3_1", count=8),
    "Eight channels of conv3_1: bright where a pattern is, coarser.",
)

# %% tags=["figure"]
show(
    nst.show_feature_maps(model, content_image, "conv4_2", count=8),
    "Eight channels of conv4_2: blobs that say where something is, not how it looked.",
)

# %% [markdown]
# ## 4. Content: what a layer keeps
# The tutorial says that the first layer leaves the picture intact and the last one keeps "shapes".
# The paper tests it (Figure 1, below): start from **white noise** and change the pixels until the
# layer responds as it does to the photograph. Equation (1):
#
# $$L_\text{content} = \frac{1}{2} \sum_{i,j} (F_{ij} - P_{ij})^2$$
#
# What the layer has lost can't come back.


# %%
def content_loss(F, P):
    return 0.5 * tf.reduce_sum((F - P) ** 2)


F, P = maps["conv1_1"] + 1.0, maps["conv1_1"]
assert content_loss(P, P) == 0
np.testing.assert_allclose(content_loss(F, P), nst.content_loss(F, P), rtol=1e-4)
np.testing.assert_allclose(content_loss(F, P), 0.5 * tf.size(P).numpy(), rtol=1e-3)

# %% [markdown]
# *Predict:* of which layer will the picture come back best: conv1_1, conv3_1 or conv4_2?

# %%
inverted_layers = ["conv1_1", "conv3_1", "conv4_2"]
inversions = [
    nst.reconstruct_content(model, content_image, layer, iterations=lesson.iterations)
    for layer in inverted_layers
]

# %% [markdown]
# How like the photograph each is, in decibels. PSNR, the peak signal-to-noise ratio, is
# $10 \log_{10} (255^2 / \text{mean squared error})$: higher is nearer.


# %%
def psnr(one, other):
    """Return the peak signal-to-noise ratio of two pictures, in decibels."""
    error = np.mean((one.astype(np.float64) - other) ** 2)
    return 10 * np.log10(255**2 / error)


decibels = [psnr(inversion.picture, content) for inversion in inversions]
grey = psnr(np.full_like(content, 128), content)
print({layer: round(float(value), 1) for layer, value in zip(inverted_layers, decibels)})
print(f"plain grey: {grey:.1f}")

# %%
assert decibels[0] > grey + 5, "conv1_1 gives the pixels back"
assert decibels[-1] < decibels[0] - 5, "conv4_2 does not"
for inversion in inversions:
    assert inversion.history[-1]["content"] < 0.5 * inversion.history[0]["content"]

# %% tags=["figure"]
titles = [f"{layer}: {value:.0f} dB" for layer, value in zip(inverted_layers, decibels)]
show(
    nst.show_images(
        content, *[i.picture for i in inversions], titles=["photograph", *titles], height=2
    ),
    f"The rocket and what came back from noise out of three layers in {lesson.iterations} "
    "iterations: nearly all; its structure; its layout alone, these two in wrong colours.",
)

# %% [markdown]
# Pixel by pixel, what the deeper layers gave back is no nearer to the photograph than plain grey:
# PSNR asks for pixels, and these layers have forgotten them. The eye finds the towers at once. So
# *content* is what a deep layer still knows: what is where, without the pixels.
#
# ## 5. Style: what a Gram matrix keeps
# Equation (3), with a row of $F$ for each place and a column for each filter: how strongly two filters
# fire together, summed over all places.
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
# **A test of the claim** that position is forgotten: shuffle the places.
#
# *Predict:* what becomes of the Gram matrix, what of the content loss?

# %%
order = np.random.default_rng(0).permutation(F.shape[0])
shuffled = tf.gather(F, order)
np.testing.assert_allclose(gram_matrix(shuffled), G, rtol=1e-5, atol=1e-5 * float(tf.reduce_max(G)))
assert content_loss(shuffled, F) > 0
print(f"Gram matrix: the same; content loss: {float(content_loss(shuffled, F)):.3g}")

# %% [markdown]
# Figure 1, above: the painting's style alone, from white noise, with more and more layers.
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
    f"The painting and three textures, from colour grain to strokes, placed anywhere: no moon, but yellow "
    f"spots and rings in several places. {lesson.iterations} iterations are too few for the last, which still "
    "has the noise's grain.",
)

# %% [markdown]
# ## 6. Both together: alpha and beta
# Equation (7), with $\vec p$ the photograph, $\vec a$ the painting and $\vec x$ the picture that is
# made:
#
# $$L_\text{total}(\vec p, \vec a, \vec x) = \alpha \, L_\text{content}(\vec p, \vec x) + \beta \,
# L_\text{style}(\vec a, \vec x)$$
#
# Figure 3 of the paper varies both choices: a **row** is a set of style layers (A one, E five), a
# **column** a ratio $\alpha / \beta$, from low on the left to high on the right.
#
# > **Slip in the tutorial.** It calls $\alpha$ and $\beta$ "practically the optimisers". They are
# > weights: the optimiser is what follows the gradient of the sum.
#
# > **Pitfall: a ratio without its sums.** $10^{-3}$ belongs to the paper's equations. A program that
# > takes the mean where the paper takes a sum has another balance at the same $\alpha / \beta$: ask
# > first what a loss is divided by.
#
# Twenty-four such pictures were made beforehand (`notebooks/make_grid.py`), from the photograph and
# from noise. Choose:

# %% tags=["panel"]
grid = nst.read_grid("notebooks/pictures/grid.json")
nst.panel(grid)

# %% [markdown]
# The panel appears in a running notebook with ipywidgets; these two sheets have the same pictures.

# %% tags=["figure"]
show(
    nst.show_sheet(grid.sheet(start="photograph"), height=1.4),
    "Figure 3, from the photograph: rows are style layers A (conv1_1), C (to conv3_1), E (all five); "
    "columns alpha/beta from 1e-5 to 1e-2. A keeps the scene and adds ripples; in C and E the painting's "
    f"strokes and suns take over. To the right the photograph comes through more. {grid.caption}.",
)

# %% tags=["figure"]
show(
    nst.show_sheet(grid.sheet(start="noise"), height=1.4),
    "The same from noise, as in the paper: in C and E texture alone, with suns anywhere; to the right, and in "
    f"row A, rocket and towers begin to show. {grid.caption}.",
)

# %% [markdown]
# A low ratio, and one beyond the sheets, at this lesson's size:
#
# *Predict:* which of the two has the lower content loss?

# %%
low, high = stylize(model, alpha=1e-5), stylize(model, alpha=1e-1)
assert high.history[-1]["content"] < low.history[-1]["content"], "a high alpha keeps the content"
assert low.history[-1]["style"] < high.history[-1]["style"], "at the cost of the style"

# %% tags=["figure"]
show(
    nst.show_images(
        low.picture, high.picture, titles=["alpha/beta 1e-5", "alpha/beta 1e-1"], height=2.4
    ),
    "The rocket at two ratios: in strokes throughout, and with the photograph's towers and lights, "
    "under a stippled sky.",
)

# %% [markdown]
# ## 7. Max or average pooling
# "Replacing the max-pooling operation by average pooling improves the gradient flow and one obtains
# slightly more appealing results", says the paper. Only your eyes can tell whether it does here.

# %%
by_max = stylize(nst.load_vgg_model(pooling="max"))
assert not np.array_equal(by_max.picture, result.picture)

# %% tags=["figure"]
show(
    nst.show_images(result.picture, by_max.picture, titles=["average", "max"], height=2.4),
    "The same run with average and with max pooling. Look at the sky and at the rocket's outline.",
)

# %% [markdown]
# ## 8. The unfinished class
# The tutorial ends with a class whose `apply` sets `self.x = None`. In ten lines:


# %%
class StyleTransfer:
    """Bring a photograph's content and a painting's style together."""

    def __init__(self, p, a, model, **knobs):
        self.p, self.a, self.model, self.knobs = p, a, model, knobs

    def apply(self):
        white_noise = nst.generate_noise_image(self.p, 1.0, noise="gaussian", amplitude=50)
        done = nst.style_transfer(self.p, self.a, self.model, init_image=white_noise, **self.knobs)
        self.x = done.picture
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
    f"After {lesson.iterations} iterations from white noise, alpha/beta 0.01: the rocket and the "
    "towers beside it stand out of the noise in the painting's colours.",
)

# %%
assert all(np.array_equal(model[name].kernel, kernels[name]) for name in model.convolutions)
print("after all these runs, the network is what it was")

# %% [markdown]
# ## 9. Summary
# - Content is a deep layer's feature map. Inverted, it gives the layout back, not the pixels.
# - Style is a Gram matrix: which filters fire together. Shuffled places leave it as it is.
# - More style layers, larger patterns: most is won by the first three. Higher $\alpha / \beta$, more
#   photograph.
# - The paper starts from white noise. From the photograph it is quicker, and stays closer to it.
#
# ### Exercises
# 1. **Tweak.** Invert conv2_1. Between which two of the pictures above will its PSNR be?
# 2. **Twiddle.** Make a texture from `STYLE_LAYERS[4:]`, conv5_1 alone. Why has it no fine strokes?
# 3. **Frob.** Figure 1 has five rows, A to E. Make all five textures, from `STYLE_LAYERS[:1]` to
#    `STYLE_LAYERS[:5]`. From which row on do you see no difference at this size? Compare what conv5_1
#    sees (section 3) with the picture's size.
#
# ### References
# - L. A. Gatys, A. S. Ecker, M. Bethge: *A Neural Algorithm of Artistic Style*, 2015,
#   [arXiv:1508.06576](https://arxiv.org/abs/1508.06576): Figures 1 and 3, equations (1) to (7).
# - L. A. Gatys, A. S. Ecker, M. Bethge: *Texture Synthesis Using Convolutional Neural Networks*,
#   2015, [arXiv:1505.07376](https://arxiv.org/abs/1505.07376).
# - A. Mahendran, A. Vedaldi: *Understanding Deep Image Representations by Inverting Them*, 2015,
#   [arXiv:1412.0035](https://arxiv.org/abs/1412.0035).
# - Pictures and their licences: `images/CREDITS.md`.
