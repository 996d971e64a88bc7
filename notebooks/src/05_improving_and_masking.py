# %% [markdown]
# # Improving style, masks, colors
#
# This lesson adds three things to the method of Gatys: the improvements of Novak and Nikulin (2016), masks that
# restrict styles to regions, and ways to keep the colors of the photograph. It follows tutorial 2,
# "Neural-Style-Transfer" by titu1994
# ([details](../docs/tutorials.md#tutorial-2-neural-style-transfer-with-improvements-and-masks)).
#
# **Goals.** After this lesson, you can
#
# 1. write the four improvements and compare them fairly;
# 2. combine several styles in one picture with masks, and explain why a style extends past the edge of its mask;
# 3. keep the colors of the photograph in two ways.
#
# **Contents**
#
# 1. Set up
# 2. The baseline
# 3. Activation shift
# 4. All layers, weighted by depth
# 5. Correlation chain
# 6. A fair ablation
# 7. Masks
# 8. Colors
# 9. Summary, exercises, references
#
# **You need** lesson 2, but no network connection.
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
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from scipy.ndimage import gaussian_filter

import nst_tf as nst

lesson = nst.lesson_mode(mode, minutes={"quick": 0.8, "default": 4, "full": 20})
ITERATIONS = lesson.iterations // 2
print(f"in this lesson: {ITERATIONS} iterations per run")

# %% [markdown]
# ## 2. The baseline
# The baseline is the method of Gatys: Gram matrices of five layers with equal weights.
#
# > **Errors in the tutorial.** The formula under "total loss" is that of the *style* loss, $\sum_\ell w_\ell E_\ell$.
# > The formula for the weights is $1 / (\ldots - w_\ell)$; the correct weights are $w_\ell = 1/n$, where $n$ is the
# > number of style layers.

# %%
model = nst.load_vgg_model(pooling="max")
content, content_image = nst.load_image("images/content/coffee.jpg", size=lesson.size, crop=True)
style, style_image = nst.load_image("images/style/stained_glass.jpg", size=lesson.size, crop=True)
other, other_image = nst.load_image("images/style/night_strokes.jpg", size=lesson.size, crop=True)
print(model.name, "with", len(model.convolutions), "convolutions")


# %%
def run(styles=style_image, **changes):
    """Return the result of a short run from the content; `changes` are parameters."""
    parameters = {
        "alpha": 1e-4,
        "beta": 1.0,
        "tv_weight": 0.0,
        "optimizer": "lbfgs-fixed",
        "iterations": ITERATIONS,
        **changes,
    }
    return nst.style_transfer(content_image, styles, model, **parameters)


LAYERS = [f"conv{block}_1" for block in range(1, 6)]
baseline = run()
assert nst.style_layer_weights(model, LAYERS) == dict.fromkeys(LAYERS, 1 / 5)
assert baseline.history[-1]["total"] < 0.5 * baseline.history[0]["total"]
assert np.isfinite(baseline.image).all()

# %% tags=["figure"]
show(
    nst.show_images(
        content, style, baseline.picture, titles=["content", "style", "baseline"], height=2.3
    ),
    "A cup of coffee, stained glass, and the cup painted by the baseline: panes of glass between "
    f"lead lines. {ITERATIONS} iterations.",
)

# %% [markdown]
# ## 3. Activation shift (section 3.3 of the paper)
# After a ReLU, about half of the activations or more are 0. Therefore, many products $F_{ki} F_{kj}$ are 0, and the
# Gram matrix can't distinguish "neither filter responds" from "only one responds". The activation shift first adds
# $s = -1$:
#
# $$G_{ij} = \sum_k (F_{ki} + s)(F_{kj} + s)$$
#
# *Predict:* how many of the activations of conv4_1 are 0?


# %%
def shifted_gram(features, s):
    F = tf.reshape(features, (-1, features.shape[3])) + s
    return tf.matmul(F, F, transpose_a=True)


maps = nst.extract_features(model, style_image, LAYERS)
zeros = {layer: float(tf.reduce_mean(tf.cast(maps[layer] == 0, tf.float32))) for layer in LAYERS}
print({layer: f"{share:.0%}" for layer, share in zeros.items()})

# %%
plain = nst.gram_matrix(maps["conv4_1"])[0]
np.testing.assert_allclose(
    shifted_gram(maps["conv4_1"], 0), plain, rtol=1e-3, atol=1e-3 * np.max(plain)
)
by_hand = sum(np.outer(row - 1, row - 1) for row in np.reshape(maps["conv5_1"], (-1, 512)))
np.testing.assert_allclose(shifted_gram(maps["conv5_1"], -1), by_hand, rtol=1e-3, atol=1)
assert zeros["conv5_1"] > zeros["conv1_1"], "the deepest is sparser than the first"
print("shift 0 is the plain Gram matrix")

# %% tags=["figure"]
figure, axes = plt.subplots(1, 2, figsize=(8, 2.4), layout="constrained")
for axis, s in zip(axes, (0, -1)):
    M = maps["conv4_1"].shape[1] * maps["conv4_1"].shape[2]
    values = np.ravel(shifted_gram(maps["conv4_1"], s)) / M
    low, high = np.quantile(values, [0.02, 0.98])
    axis.hist(values, bins=60, range=(low, max(high, low + 1e-6)), color="#0b6e99")
    axis.set(title=f"shift {s}", xlabel="entry of G / M", ylabel="count")
show(
    figure,
    "Histograms of the entries of the Gram matrix of conv4_1, without the outer 2 % on each "
    "side. They look the same: the activations of this network are in the hundreds, so a shift "
    "of -1 is small.",
)

# %% [markdown]
# ## 4. All layers, weighted by depth (sections 3.2 and 3.1)
# This change uses the Gram matrices of *every* convolution. The weights halve from each layer to the next deeper one,
# because "the most important style properties" are in the bottom layers.
#
# $$w_\ell \propto 2^{D - d(\ell)}, \qquad D \text{ convolutions}, \quad d(\ell) = 1 \dots D$$
#
# > **Error in the tutorial.** "All 16 convolution layers of VGG-16": VGG-16 has 13, VGG-19 has 16.

# %%
every = model.convolutions
D = len(every)
raw = {layer: 2.0 ** (D - d) for d, layer in enumerate(every, 1)}
weights = {layer: weight / sum(raw.values()) for layer, weight in raw.items()}
assert raw == nst.geometric_weights(model, every)
assert weights == nst.style_layer_weights(model, every, weighting="geometric")
np.testing.assert_allclose(
    sum(weights.values()), 1, err_msg="normalized, so that beta means the same"
)
print(f"divided by their sum, {sum(raw.values()):.0f}")

# %% [markdown]
# > **Bug hunt: the code does the opposite.** The code of the tutorial divides by `2 ** (nb_layers - (i + 1))`. Which
# > layer gets the largest weight?

# %%
nb_layers = D
code = {layer: 1 / 2 ** (nb_layers - (i + 1)) for i, layer in enumerate(every)}
assert max(raw, key=raw.get) == every[0], "the paper favors the bottom"
assert max(code, key=code.get) == every[-1], "the code favors the top"

# %% tags=["figure"]
figure, axis = plt.subplots(figsize=(8, 2.6), layout="constrained")
axis.semilogy(list(every), list(weights.values()), "o-", label="the paper")
axis.semilogy(
    list(every), np.array(list(code.values())) / sum(code.values()), "s--", label="the code"
)
axis.tick_params(axis="x", rotation=60)
axis.set(ylabel="weight")
axis.legend()
show(
    figure,
    "Layer weights, logarithmic: those of the paper halve from each layer to the next, those of "
    "the code double.",
)

# %% [markdown]
# ## 5. Correlation chain (section 3.5)
# The chain correlates each layer with the layer below it instead of with itself. The smaller of the two maps is
# enlarged:
#
# $$G^{\ell, \ell - 1}_{ij} = \sum_k \text{up}(F^\ell)_{ki} \, F^{\ell - 1}_{kj}$$


# %%
def chain(above, below):
    """Return the correlations of two layers' maps, (N_above, N_below)."""
    size = below.shape[1:3]
    up = tf.image.resize(above, size, "nearest") if above.shape[1:3] != size else above
    return tf.einsum("bhwi,bhwj->ij", up, below)


two = nst.extract_features(model, style_image, ["conv3_1", "conv4_1"])
G_chain = chain(two["conv4_1"], two["conv3_1"])
assert G_chain.shape == (512, 256), "rows: the layer above, columns: the layer below"
np.testing.assert_allclose(
    chain(two["conv3_1"], two["conv3_1"]), nst.gram_matrix(two["conv3_1"])[0], rtol=1e-3, atol=1
)
print("a layer chained with itself is its Gram matrix")

# %% [markdown]
# > **Bug hunt: what the code chains.** The code has no $G^{\ell, \ell-1}$. It subtracts the ordinary losses of
# > neighboring layers, $\sum_i (sl_i - sl_{i+1}) / 2^{m - (i+1)}$. Expand the sum: what weight does the *last* layer
# > have?

# %%
n, m = 13, 12
telescoped = np.zeros(n)
for i in range(n - 1):
    factor = 1 / 2 ** (m - (i + 1))
    telescoped[i] += factor
    telescoped[i + 1] -= factor
assert telescoped[-1] == -1, "a larger loss of the last layer lowers the total"
assert telescoped[1] == 2.0 ** (1 - m)
print(telescoped.round(4))

# %% [markdown]
# ## 6. A fair ablation
# An ablation tests the parts of a method one by one. Here, the runs are: the shift alone; all layers alone; all layers
# with geometric weights; all layers with the chain; and everything together. (Geometric weights and the chain need all
# layers.) For a fair comparison, all runs have the same number of iterations and the same initial image, and $\beta$ is
# chosen so that the weighted style loss *starts* at the same value. Otherwise, a change that only scales the loss would
# look like an improvement.

# %%
variants = {
    "baseline": {},
    "shift": {"activation_shift": -1.0},
    "all layers": {"style_layers": "all"},
    "geometric": {"style_layers": "all", "style_weighting": "geometric"},
    "chain": {"style_layers": "all", "method": "chain"},
    "together": {
        "style_layers": "all",
        "style_weighting": "geometric",
        "method": "chain",
        "activation_shift": -1.0,
    },
}
first_loss = {
    name: run(iterations=0, **changes).history[0]["style"] for name, changes in variants.items()
}
betas = {name: first_loss["baseline"] / loss for name, loss in first_loss.items()}
print({name: f"{beta:.3g}" for name, beta in betas.items()})

# %%
results = {name: run(beta=betas[name], **changes) for name, changes in variants.items()}
for name, result in results.items():
    assert result.history[-1]["total"] < result.history[0]["total"], name
assert np.array_equal(results["baseline"].picture, baseline.picture), "the same run, again"

# %% tags=["figure"]
names = ["baseline", "shift", "all layers"]
show(
    nst.show_images(*[results[name].picture for name in names], titles=names, height=2.2),
    "The cup with the baseline, with a shift, and with all layers: they look nearly the same. "
    f"{ITERATIONS} iterations.",
)

# %% tags=["figure"]
names = ["geometric", "chain", "together"]
show(
    nst.show_images(*[results[name].picture for name in names], titles=names, height=2.2),
    "The cup with geometric weights, with the chain, and with all changes: again nearly the same, "
    f"with small differences in the panes. {ITERATIONS} iterations.",
)

# %% [markdown]
# You can't compare the final losses, because each run minimizes a different loss. Instead, the next cell measures all
# results in the same way: by the content and style loss of the *baseline*, and by the total variation of the picture,
# which none of the runs minimizes.
#
# *Predict:* which row has the lowest style loss of the baseline?

# %%
P = nst.extract_features(model, content_image, ["conv4_2"])["conv4_2"]
A = {layer: nst.gram_matrix(maps[layer], per_position=True) for layer in LAYERS}


def ruler(image):
    """Return the content loss and the style loss of the baseline for an image."""
    F = nst.extract_features(model, image, ["conv4_2", *LAYERS])
    each = [
        nst.layer_style_loss(nst.gram_matrix(F[layer], per_position=True), A[layer])
        for layer in LAYERS
    ]
    return float(nst.content_loss(F["conv4_2"], P)), float(sum(each)) / 5


measured = {name: ruler(result.image) for name, result in results.items()}
end = baseline.history[-1]
np.testing.assert_allclose(measured["baseline"], (end["content"], end["style"]), rtol=1e-2)

# %%
print(f"{'':12}{'content':>10}{'style':>10}{'variation':>11}   (relative to the baseline)")
variations = {name: float(nst.tv_loss(result.image)) for name, result in results.items()}
for name, found in measured.items():
    row = *np.divide(found, measured["baseline"]), variations[name] / variations["baseline"]
    print(f"{name:12}{row[0]:10.2f}{row[1]:10.2f}{row[2]:11.2f}")
relative = {name: found[1] / measured["baseline"][1] for name, found in measured.items()}
others = ["all layers", "geometric", "chain", "together"]
assert all(relative[name] > 1.05 for name in others), "the baseline has the lowest of its own loss"
assert 0.9 < relative["shift"] < 1.1, "a shift changes little"

# %% [markdown]
# By the *style* loss of the baseline, other layer weights and the chain are worse: these runs minimized a different
# loss, and some of them stay closer to the content (first column). The run with the shift differs from the baseline by
# only a few hundredths, because it matches nearly the same statistics: the Gram matrices of shifted features are equal
# if the Gram matrices and the means of the channels are.
#
# A number shows how far a result is from the baseline, not whether it is better. That is a matter of taste and depends
# on the painting. Compare the lines (are the lead lines closed?), the size of the panes, and whether colors stay in
# place.
#
# ## 7. Masks
# A mask is white where a style acts. For each style layer, the mask is scaled to the size of the layer, which gives a
# weight $T_k$ for each position $k$. (The package multiplies the features by $\sqrt{T}$ and divides by $\sum T$ instead
# of $M$, so a style is as strong in a small region as in a large one.)
#
# $$G_{ij} = \sum_k T_k F_{ki} F_{kj}, \qquad T_k \in [0, 1]$$

# %%
mask = nst.load_mask("images/mask/coffee.png", size=lesson.size, crop=True)  # as the photograph
assert mask.shape == lesson.size
assert mask.min() == 0
assert mask.max() == 1
pyramid = nst.layer_guides(model, mask, LAYERS)
print({layer: tuple(guide.shape[1:3]) for layer, guide in pyramid.items()})

# %% tags=["figure"]
shown = [np.repeat(np.uint8(255 * np.array(guide[0])), 3, axis=2) for guide in pyramid.values()]
show(
    nst.show_images(content, *shown, titles=["content", *LAYERS], height=1.7),
    "The mask of the cup at the five layers: the same shape, with coarser and softer edges.",
)


# %%
def masked_gram(features, guide):
    F = tf.reshape(features, (-1, features.shape[3]))
    T = tf.reshape(guide, (-1, 1))
    return tf.matmul(T * F, F, transpose_a=True)


ones = nst.layer_guides(model, np.ones(lesson.size, np.float32), LAYERS)
np.testing.assert_allclose(
    masked_gram(maps["conv3_1"], ones["conv3_1"]),
    nst.gram_matrix(maps["conv3_1"])[0],
    rtol=1e-3,
    atol=1,
)
assert not masked_gram(maps["conv3_1"], 0 * ones["conv3_1"]).numpy().any()
print("a white mask has no effect; a black mask makes all entries 0")

# %% [markdown]
# Two styles need two masks. `Style` combines a painting with its mask, so they can't be mixed up.

# %%
styles = [nst.Style(style_image, mask=mask), nst.Style(other_image, mask=1 - mask)]
both = run(styles)
assert both.history[-1]["style"] < both.history[0]["style"]

# %% tags=["figure"]
show(
    nst.show_images(
        style, other, both.picture, titles=["in white", "in black", "result"], height=2.3
    ),
    "Stained glass, brush strokes, and the cup in glass on a table in swirling strokes.",
)

# %% [markdown]
# With one style and one mask, only the content loss acts in the black region. With a **soft edge**, gray between white
# and black, the style fades out gradually.

# %%
soft = gaussian_filter(mask, sigma=lesson.size[1] / 30)
one = run([nst.Style(style_image, mask=soft)])


def moved(picture, where):
    """Return the mean absolute difference from the photograph in a region, in gray levels."""
    return np.abs(picture.astype(float) - content)[where].mean()


inside, outside = moved(one.picture, soft > 0.9), moved(one.picture, soft < 0.01)
assert inside > 2 * outside, "the style acts in white"
print(f"{inside:.0f} gray levels in white, {outside:.0f} in black")

# %% tags=["figure"]
white = np.repeat(np.uint8(255 * soft)[..., np.newaxis], 3, axis=2)
show(
    nst.show_images(content, white, one.picture, titles=["content", "mask", "result"], height=2.3),
    "The photograph, the mask of the cup with a soft edge, and the cup in glass on the wooden "
    "table: the glass fades out around the cup.",
)

# %% [markdown]
# > **Pitfall: "gradients at that blackened region are also zero"**, says the tutorial. This is not quite true:
# > positions inside the mask also see pixels outside it.
#
# *Predict:* how far beyond the edge of its mask does a style on the left half reach?

# %%
half = np.zeros(lesson.size, np.float32)
half[:, : lesson.size[1] // 2] = 1


def leak(layer):
    """Return |gradient| of the summed Gram matrix under a mask of the left half, by column."""
    guides = nst.layer_guides(model, half, [layer])
    image = tf.constant(content_image)
    with tf.GradientTape() as tape:
        tape.watch(image)
        loss = tf.reduce_sum(
            masked_gram(nst.extract_features(model, image, [layer])[layer], guides[layer])
        )
    return np.abs(tape.gradient(loss, image)).max(axis=(0, 1, 3))


past = {
    layer: int(np.flatnonzero(leak(layer)).max()) - lesson.size[1] // 2 + 1 for layer in LAYERS[:4]
}
print(past)
assert past["conv1_1"] == 1, "a 3x3 filter reaches one pixel beyond the edge"
assert list(past.values()) == sorted(past.values()), "deeper layers reach farther"

# %% tags=["figure"]
figure, axis = plt.subplots(figsize=(8, 2.2), layout="constrained")
for layer, line in (("conv1_1", "-"), ("conv3_1", "--"), ("conv4_1", "-.")):
    curve = leak(layer)
    axis.semilogy(np.where(curve > 0, curve / curve.max(), np.nan), line, label=layer)
axis.axvline(lesson.size[1] // 2 - 0.5, color="black", linestyle=":")
axis.set(xlabel="column", ylabel="|gradient|, relative")
axis.legend()
show(
    figure,
    "The gradient by column under a mask of the left half (dotted: its edge): conv1_1 ends one "
    "pixel beyond the edge, deeper layers reach farther.",
)

# %% [markdown]
# To leave the area outside the mask exactly as it is, paste the photograph back:

# %%
kept = nst.keep_content(both.picture, content, mask)
assert np.array_equal(kept[mask == 0], content[mask == 0]), "outside: the photograph"
assert np.array_equal(kept[mask == 1], both.picture[mask == 1]), "inside: the result"

# %% tags=["figure"]
show(
    nst.show_images(both.picture, kept, titles=["result", "outside pasted back"], height=2.3),
    "The cup in glass on a painted table, and the same cup on the wooden table of the photograph.",
)

# %% [markdown]
# Invalid masks raise an error with a clear message instead of a shape error deep inside TensorFlow:

# %%
try:
    run([nst.Style(style_image, mask=mask[:, :-7])])
except nst.NstError as error:
    print(error)
else:
    raise AssertionError("a mask of another size must raise an error")

# %% [markdown]
# ## 8. Colors
# There are two ways to keep the colors of the photograph (Gatys and others, 2016). **Luminance only**: after the run,
# combine the brightness $Y$ of the result with the chroma of the photograph ($I$ and $Q$ of YIQ). Chroma consists of
# differences between channels, so adding the same number to all three channels changes only $Y$:
#
# $$p_\text{kept} = p_\text{content} + (Y_\text{result} - Y_\text{content})$$


# %%
def luminance_only(picture, content):
    Y, Y_content = (each @ [0.299, 0.587, 0.114] for each in (picture, content))
    return content + (Y - Y_content)[..., np.newaxis]  # may leave 0..255


luminance = nst.preserve_color(baseline.picture, content)
ours = luminance_only(baseline.picture, content)
fits = (ours >= 0).all(axis=2) & (ours <= 255).all(axis=2)
assert np.abs(ours - luminance)[fits].max() <= 0.5 + 1e-6, "the package rounds"
print(
    f"{fits.mean():.0%} of the pixels are in range; the others get the nearest brightness in range"
)

# %%
YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
chroma = [(picture / 255 @ YIQ.T)[..., 1:] for picture in (luminance, content)]
assert np.abs(chroma[0] - chroma[1]).max() <= 1 / 255, "the chroma of the photograph"

# %% [markdown]
# **Color matching**: before the run, give the *painting* the mean $\mu$ and the covariance $\Sigma$ of the photograph,
# by $x' = A (x - \mu_S) + \mu_C$ with $A \Sigma_S A^T = \Sigma_C$. With the Cholesky decomposition $\Sigma = L L^T$,
# one such $A$ is $L_C L_S^{-1}$.


# %%
def matched_color(style, content):
    S, C = (picture.reshape(-1, 3) / 255 for picture in (style, content))
    L_S, L_C = (np.linalg.cholesky(np.cov(each.T) + 1e-5 * np.eye(3)) for each in (S, C))
    A = L_C @ np.linalg.inv(L_S)
    return ((S - S.mean(axis=0)) @ A.T + C.mean(axis=0)).reshape(style.shape)


free, wanted = matched_color(style, content).reshape(-1, 3), content.reshape(-1, 3) / 255
np.testing.assert_allclose(free.mean(axis=0), wanted.mean(axis=0), atol=1e-6)
np.testing.assert_allclose(np.cov(free.T), np.cov(wanted.T), atol=1e-3)

# %%
matched = nst.match_color(style, content)
ours = np.clip(255 * matched_color(style, content), 0, 255)
assert np.abs(ours - matched).max() <= 1, "equal to the package's except for rounding"
variances = np.var(matched.reshape(-1, 3) / 255, axis=0) / np.var(wanted, axis=0)
clipped = np.mean((free < 0) | (free > 1))
print(f"{clipped:.0%} of the values are clipped; variances after that, relative to the photograph:")
print(variances.round(2))

# %%
recolored = run(nst.PixelSpace().to_image(matched))
redness = [
    picture[..., 0].mean() - picture[..., 2].mean()
    for picture in (content, baseline.picture, recolored.picture)
]
print("red minus blue: {:.0f} photograph, {:.0f} baseline, {:.0f} matched".format(*redness))
assert abs(redness[2] - redness[0]) < abs(redness[1] - redness[0]), "nearer to the photograph"

# %% tags=["figure"]
show(
    nst.show_images(
        baseline.picture,
        luminance,
        matched,
        recolored.picture,
        titles=["colors of the style", "luminance only", "matched painting", "its result"],
        height=1.9,
    ),
    "The cup in the colors of the painting; the same with the chroma of the photograph; the "
    "painting in the colors of the photograph; and the cup painted with it.",
)

# %% [markdown]
# "Luminance only" keeps every color in its place: the edges between colors are those of the photograph, even where the
# strokes cross them. With color matching, the run can move colors. The mean and the covariance are exact only before
# clipping to 0..255; clipping changes them, so the shares printed above are not all 1.
#
# ## 9. Summary
# - Shift, all layers, geometric weights and chain are four changes of one line each. To compare them, start from the
#   same weighted loss.
# - Read the code *and* the paper: here, they differ in two places.
# - A mask weights each term of the sum. The style extends past its edge by almost half a receptive field.
# - Keep the colors after the run (luminance) or before it (matching).
#
# ### Exercises
# The labels are programmers' slang: *tweak* is a small change, *twiddle* a larger one, and *frob* an open-ended
# experiment.
#
# 1. **Tweak.** Swap the two styles of the masked picture. Which line do you have to change?
# 2. **Twiddle.** Blur the edge of the mask over 20 pixels (`scipy.ndimage.gaussian_filter`). What does a position with
#    $T_k = 0.5$ contribute to each style?
# 3. **Frob.** Combine mask and color: the colors of the glass on the cup, and those of the photograph elsewhere, with
#    `nst.preserve_color(..., mask=...)`. Where is the seam, and how could you hide it?
#
# ### References
# - R. Novak, Y. Nikulin: *Improving the Neural Algorithm of Artistic Style*, 2016,
#   [arXiv:1605.04603](https://arxiv.org/abs/1605.04603): sections 3.1, 3.2, 3.3, 3.5.
# - E. Chan, R. Bhargava: *Show, Divide and Neural: Weighted Style Transfer*, 2016 (masks).
# - L. A. Gatys, M. Bethge, A. Hertzmann, E. Shechtman: *Preserving Color in Neural Artistic Style
#   Transfer*, 2016, [arXiv:1606.05897](https://arxiv.org/abs/1606.05897).
# - L. A. Gatys and others: *Controlling Perceptual Factors in Neural Style Transfer*, 2017,
#   [arXiv:1611.07865](https://arxiv.org/abs/1611.07865): section 4, masks as guidance channels.
# - Pictures and their licenses: `images/CREDITS.md`.
