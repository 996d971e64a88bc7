# %% [markdown]
# # Losses, inversion, texture
#
# Tutorial 1 follows assignment 3 of Stanford's course CS231n: three losses, a small network, and
# two experiments, feature inversion and texture synthesis. Nothing of the assignment's text or
# skeleton is used here.
#
# **Goals.** Afterwards you can
#
# 1. write content, style and total variation loss as CS231n does, and convert between conventions;
# 2. say what total variation is for, and check an implementation at the border;
# 3. invert features, and make a texture.
#
# **Contents**
#
# 1. Set up
# 2. Two networks
# 3. The content loss
# 4. The style loss
# 5. Five programs, one difference
# 6. Total variation: the defect first
# 7. A learning rate that decays, or does not
# 8. Bug hunt: the loader
# 9. Three sets of numbers
# 10. Inversion and texture
# 11. Summary, exercises, references
#
# **You need** lesson 2. No network connection.
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
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

import nst_tf as nst

lesson = nst.lesson_mode(mode, minutes={"quick": 0.6, "default": 3, "full": 15})

# %% [markdown]
# ## 2. Two networks
# The course takes **SqueezeNet** 1.1 "for its small size and efficiency": 1.2 million parameters
# where VGG-19's convolutions have 20 million. Its weights can't be fetched by this notebook. If
# they lie in `model/` (see `model/README.md`), they are looked at here; the rest runs on VGG.
#
# | | SqueezeNet 1.1 | VGG-16's trunk | VGG-19's trunk |
# | --- | --- | --- | --- |
# | million parameters | 1.2 (all) | 14.7 | 20.0 |
# | first layer | 3x3, stride 2 | 3x3, stride 1 | 3x3, stride 1 |
# | pooling | maximum | average or maximum | average or maximum |


# %%
def parameters(model):
    """Return how many numbers the convolutions of a VGG trunk have."""
    return sum(
        np.size(model[name].kernel) + np.size(model[name].bias) for name in model.convolutions
    )


vgg = nst.load_vgg_model()
print(f"{vgg.name}: {parameters(vgg) / 1e6:.1f} million parameters")

# %%
try:
    squeezenet = nst.load_squeezenet_model()
    deepest = nst.receptive_fields(squeezenet)[squeezenet.convolutions[-1]]
    print(f"{squeezenet.name}: {len(squeezenet)} layers, the deepest sees {deepest.size} pixels")
except nst.WeightsError as error:
    print("no SqueezeNet here, so VGG alone:", str(error).split(";")[0].split("\n")[0])

# %% [markdown]
# A network's activations have their own scale, so loss weights do not carry over. With a
# **normalised** trunk (each filter's mean activation is one, over both pictures: Gatys, CVPR 2016) they
# come close. On the painting alone, below, it is near one.

# %%
content, content_image = nst.load_image("images/content/chelsea.jpg", size=lesson.size, crop=True)
style, style_image = nst.load_image("images/style/stained_glass.jpg", size=lesson.size, crop=True)
model = nst.normalize_trunk(vgg, [content_image, style_image])
means = {
    name: float(tf.reduce_mean(nst.extract_features(model, style_image, [name])[name]))
    for name in ("conv1_1", "conv3_1", "conv4_2")
}
assert all(0.05 < mean < 20 for mean in means.values()), "all of about the same size"
print({name: round(mean, 2) for name, mean in means.items()})

# %% tags=["figure"]
show(
    nst.show_images(content, style, titles=["content", "style"], height=2.4),
    "The content, a cat, and the style, stained glass.",
)

# %% [markdown]
# ## 3. The content loss
# With a weight $w_c$, and without the paper's 1/2:
#
# $$L_c = w_c \sum_{i,j} (F_{ij} - P_{ij})^2$$


# %%
def content_loss(w_c, F, P):
    return w_c * tf.reduce_sum((F - P) ** 2)


content_loss(0.5, tf.constant([1.0, 2, 3]), tf.constant([1.0, 0, 0]))  # 0.5 (4 + 9)

# %%
maps = {
    name: nst.extract_features(model, image, ["conv3_1"])["conv3_1"]
    for name, image in (("content", content_image), ("style", style_image))
}
F, P = maps["style"], maps["content"]
assert content_loss(1.0, P, P) == 0, "a picture is no way from itself"
np.testing.assert_allclose(content_loss(1.0, F, P), nst.content_loss(F, P, scale="sum"), rtol=1e-4)
np.testing.assert_allclose(content_loss(1.0, F, P), 2 * nst.content_loss(F, P), rtol=1e-4)
print("CS231n's content loss is twice the paper's")

# %% [markdown]
# ## 4. The style loss
# The Gram matrix, by default divided by $H W C$ ($C$ is what the paper calls $N$):
#
# $$G_{ij} = \frac{1}{H W C} \sum_k F_{ki} F_{kj}$$


# %%
def gram_matrix(features, normalize=True):
    _, H, W, C = features.shape
    F = tf.reshape(features, (H * W, C))
    G = tf.matmul(F, F, transpose_a=True)
    return G / (H * W * C) if normalize else G


gram_matrix(tf.reshape(tf.range(4.0), (1, 1, 2, 2)))

# %%
np.testing.assert_allclose(gram_matrix(F, False), nst.gram_matrix(F)[0], rtol=1e-4)
C = F.shape[3]
np.testing.assert_allclose(C * gram_matrix(F), nst.gram_matrix(F, per_position=True)[0], rtol=1e-4)
print("the package's Gram matrix per position is C times this one")

# %% [markdown]
# With a scalar weight $w_\ell$ for each layer:
#
# $$L_s = \sum_\ell w_\ell \sum_{i,j} (G^\ell_{ij} - A^\ell_{ij})^2$$


# %%
def style_loss(grams, targets, weights):
    pairs = zip(weights, grams, targets, strict=True)  # strict: a list too short is an error
    return sum(w * tf.reduce_sum((G - A) ** 2) for w, G, A in pairs)


style_loss([tf.eye(2)], [tf.zeros((2, 2))], [3.0])

# %%
G, A = gram_matrix(P), gram_matrix(F)
E = nst.layer_style_loss(*[nst.gram_matrix(m, per_position=True) for m in (P, F)])
np.testing.assert_allclose(style_loss([G], [A], [1.0]), 4 * E, rtol=1e-3)
assert style_loss([A], [A], [1.0]) == 0, "the painting has its own style"
print(f"E of the paper: {float(E):.3g}; CS231n's: 4 times that")

# %% [markdown]
# ## 5. Five programs, one difference
# Each divides by something else. Two of the five come to the same, as the checks show.
#
# *Predict:* by which factor do the largest and the smallest of the five numbers below differ?

# %%
_, H, W, C = P.shape
difference = float(tf.reduce_sum((gram_matrix(P, False) - gram_matrix(F, False)) ** 2))
picture_size = lesson.size[0] * lesson.size[1]
conventions = {
    "Gatys: 1/(4 N² M²)": difference / (4 * C**2 * (H * W) ** 2),
    "CS231n: (G / HWC)²": difference / (H * W * C) ** 2,
    "TensorFlow: mean of (G / HW)²": difference / (H * W) ** 2 / C**2,
    "d2l: mean of (G / HWC)²": difference / (H * W * C) ** 2 / C**2,
    "Keras: 1/(4 3² size²)": difference / (4 * 3**2 * picture_size**2),
}
for name, value in conventions.items():
    print(f"{name:30} {value:10.3g}")

# %%
gatys, cs231n, tensorflow, d2l, keras = conventions.values()
np.testing.assert_allclose(gatys, E, rtol=1e-2)
np.testing.assert_allclose(cs231n, 4 * gatys, rtol=1e-6)
np.testing.assert_allclose(d2l, 4 * gatys / C**2, rtol=1e-6)
np.testing.assert_allclose(tensorflow, cs231n, rtol=1e-6)
pooled = picture_size / (H * W)  # about 16: two poolings, by four each
np.testing.assert_allclose(keras / d2l, C**4 / (36 * pooled**2), rtol=1e-6)
print(f"largest / smallest: {keras / d2l:.0f}, whatever the pictures are")

# %% tags=["figure"]
figure, axis = plt.subplots(figsize=(7, 2.4), layout="constrained")
axis.barh(list(conventions), list(conventions.values()), color="#0b6e99")
axis.set(xscale="log", xlabel="style loss of conv3_1, logarithmic")
show(
    figure,
    "The same difference in five programs, as bars on a logarithmic axis: they span more than five "
    "powers of ten. A weight without its convention means nothing.",
)

# %% [markdown]
# > **Pitfall: Keras' convention weighs layers silently.** It divides by 3 channels and the
# > *picture's* size at every layer. Relative to the paper, VGG's five layers then count
# > 455 : 114 : 28 : 7 : 0.4.

# %% [markdown]
# ## 6. Total variation: the defect first
# A run without it, and what is left when each pixel's neighbourhood is subtracted. (The weights are the
# course's for a starry night, section 9; `beta` 4 makes the paper's style loss the course's.)


# %%
def run(tv_weight, **changes):
    """Return the result of a short run on the normalised trunk."""
    knobs = {
        "content_layers": "conv3_1",
        "style_layers": ("conv2_1", "conv3_2", "conv4_1", "conv4_2"),
        "content_scale": "sum",
        "alpha": 6e-2,
        "beta": 4.0,
        "style_layer_weights": (300000, 1000, 15, 3),
        "tv_weight": tv_weight,
        "learning_rate": 5.0,
        "iterations": lesson.iterations,
    }
    return nst.style_transfer(content_image, style_image, model, **{**knobs, **changes})


without = run(0.0)


# %%
def high_pass(picture):
    """Return each pixel less the mean of its four neighbours, as a picture about grey."""
    p = np.pad(picture.astype(np.float32), ((1, 1), (1, 1), (0, 0)), "edge")
    around = (p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:]) / 4
    return np.uint8(np.clip(128 + 2 * (picture - around), 0, 255))


assert (high_pass(np.full((4, 5, 3), 77, np.uint8)) == 128).all(), "a flat picture has none"

# %% tags=["figure"]
show(
    nst.show_images(
        content,
        high_pass(content),
        without.picture,
        high_pass(without.picture),
        titles=["photograph", "its high frequencies", "result", "its high frequencies"],
        height=1.9,
    ),
    "The photograph and the result without total variation, each beside its high frequencies: the "
    "result has grain and ridges where the photograph is smooth.",
)

# %% [markdown]
# The remedy, with a weight $w_t$: the squared differences of all pixels that lie side by side,
#
# $$L_{tv} = w_t \sum_{c} \Big( \sum_{i=1}^{H-1} \sum_{j=1}^{W} (x_{i+1,j,c} - x_{i,j,c})^2 +
# \sum_{i=1}^{H} \sum_{j=1}^{W-1} (x_{i,j+1,c} - x_{i,j,c})^2 \Big)$$


# %%
def tv_loss(x, w_t):
    down = x[:, 1:, :, :] - x[:, :-1, :, :]
    right = x[:, :, 1:, :] - x[:, :, :-1, :]
    return w_t * (tf.reduce_sum(down**2) + tf.reduce_sum(right**2))


tv_loss(tf.reshape(tf.constant([1.0, 2, 4]), (1, 1, 3, 1)), 1.0)  # 1 + 4

# %% [markdown]
# Its value is known in closed form for simple pictures, which finds every mistake at the border:

# %%
d, colours, rows, columns = 2.0, 3, 5, 7
flat = np.zeros((1, rows, columns, colours), np.float32)
edge, inside, corner_row = flat.copy(), flat.copy(), flat.copy()
edge[:, :, 4:] = d
inside[0, 2, 3] = d
corner_row[0, -1, 3] = d
assert tv_loss(flat, 1.0) == 0, "a constant picture varies nowhere"
assert tv_loss(edge, 1.0) == colours * rows * d**2, "a vertical edge: one step in each row"
assert tv_loss(inside, 1.0) == 4 * colours * d**2, "one pixel: four neighbours"
assert tv_loss(corner_row, 1.0) == 3 * colours * d**2, (
    "in the last row: three. Is that row counted?"
)
np.testing.assert_allclose(tv_loss(content_image, 1.0), nst.tv_loss(content_image), rtol=1e-4)

# %% [markdown]
# > **Pitfall: squared or absolute?** TensorFlow's own tutorial introduces total variation as a
# > "sum of the squares" and then sums absolute values. Squares blur every edge; absolute values
# > mind a large step no more than many small ones.

# %%
absolute = nst.tv_loss(edge, "absolute")
assert absolute == colours * rows * d
assert float(tf.image.total_variation(tf.constant(edge))[0]) == absolute, (
    "TensorFlow's function is the absolute one"
)
assert tf.image.total_variation(tf.constant(edge)).shape == (1,), (
    "and returns one number a picture: sum it"
)

# %% [markdown]
# *Predict:* what happens to the grain, what to the lead lines of the glass, when $w_t$ grows?

# %%
tv_weights = [0.0, 1e-4, 1e-2]
results = [without, *[run(w_t) for w_t in tv_weights[1:]]]
variations = [float(nst.tv_loss(result.image)) for result in results]
assert variations == sorted(variations, reverse=True), "more weight, less variation"
print([f"{variation:.3g}" for variation in variations])

# %% tags=["figure"]
show(
    nst.show_images(
        *[result.picture for result in results],
        titles=[f"w_t = {w_t:g}" for w_t in tv_weights],
        height=2.2,
    ),
    "The cat without, with some and with much total variation: grain; hardly less of it to the eye, whatever "
    "the numbers above say; and blur, with most lead lines gone.",
)

# %% [markdown]
# ## 7. A learning rate that decays, or does not
# The course takes Adam by 3.0 (its pixels go from about -2 to 2.6), and after step 180 by 0.1. In some of its
# notebooks the schedule is *called once* before the loop; Adam keeps the number it got.

# %%
schedule = tf.keras.optimizers.schedules.PiecewiseConstantDecay([180], [3.0, 0.1])
called_once = tf.keras.optimizers.Adam(float(schedule(0)))  # a number: it stays
handed_over = tf.keras.optimizers.Adam(schedule)  # a function of the step: it decays
rates = np.array([[float(schedule(0)), float(schedule(step))] for step in range(200)])
assert rates[181, 1] == np.float32(0.1), "it should have decayed"
assert rates[181, 0] == 3.0, "but does not, when it was called once"

# %%
pixel = tf.Variable(100.0)
for optimizer, expected in ((called_once, 3.0), (handed_over, 0.1)):
    optimizer.build([pixel])
    optimizer.iterations.assign(190)
    np.testing.assert_allclose(float(optimizer.learning_rate), expected, rtol=1e-6)
print("at step 190:", float(called_once.learning_rate), "and", float(handed_over.learning_rate))

# %% tags=["figure"]
figure, axis = plt.subplots(figsize=(6, 2.2), layout="constrained")
axis.semilogy(rates[:, 0], "--", label="called once")
axis.semilogy(rates[:, 1], label="handed over")
axis.set(xlabel="iteration", ylabel="learning rate")
axis.legend()
show(
    figure,
    "The rate over 200 iterations: the dashed line of the schedule called once stays at 3; "
    "the other falls to 0.1 after 180, when the picture needs calm.",
)

# %% [markdown]
# > Print the rate that is *used*, `optimizer.learning_rate`, not the one you meant.
#
# ## 8. Bug hunt: the loader
# A loader in two steps, shrink and fit. There is one mistake in it: find it before you read on.

# %%
from PIL import Image


def load_in_two_steps(path, height, width):
    """Return a picture, (height, width, 3) uint8."""
    shrunk = Image.open(path).convert("RGB").resize((height, width))
    return np.array(shrunk.resize((width, height)))


suspect = load_in_two_steps("images/content/chelsea.jpg", *lesson.size)
correct, _ = nst.load_image("images/content/chelsea.jpg", size=lesson.size)  # stretched, as there
assert suspect.shape == correct.shape == (*lesson.size, 3), "the shape is right, so nobody notices"

# %% tags=["figure"]
apart = np.uint8(np.clip(128 + 10 * (suspect.astype(float) - correct), 0, 255))
show(
    nst.show_images(
        correct,
        suspect,
        apart,
        titles=["correct", "suspect", "ten times the difference"],
        height=2.2,
    ),
    "The cat as it should be, and as the two steps load it: alike at a glance. The difference, about "
    "grey, is fine grain along edges, most of it where they stand upright.",
)


# %%
def variation_by_direction(picture):
    """Return the mean squared differences downwards and sideways."""
    x = picture.astype(np.float32)
    return float(np.mean(np.diff(x, axis=0) ** 2)), float(np.mean(np.diff(x, axis=1) ** 2))


downwards, sideways = np.divide(variation_by_direction(suspect), variation_by_direction(correct))
print(f"of the correct one's variation: {downwards:.2f} downwards, {sideways:.2f} sideways")
assert sideways < 0.95, "it has lost detail from left to right"
assert sideways < downwards, "and there more than from top to bottom"

# %% [markdown]
# Resizing twice blurs either way, sideways more. Pillow's `resize` takes (width, height), arrays are
# (height, width), and the first step gives Pillow an array's order. The second step turns the shape
# back, and no check of shapes complains.
#
# One release of the course's loader swapped them too, without turning back: the photograph was squashed.
# Its published check value, a total variation of 1704.19, is that of the squashed picture; in its own
# proportions it has 303.47.
#
# What helps: look at the picture; test with sides that differ; name the order in the docstring.
#
# ## 9. Three sets of numbers
# The course pairs one photograph, a street in Tübingen, with three paintings, each with weights of its own.
# They are presets here:

# %%
names = ["cs231n-composition", "cs231n-scream", "cs231n-starry"]
for name in names:
    knobs = nst.PRESETS[name].knobs
    w = [round(weight / 4) for weight in knobs["style_layer_weights"]]
    print(f"{name:19} w_c {knobs['alpha']:g}  w_l {w}  style at {knobs['style_size']}")
assert all(nst.PRESETS[name].knobs["iterations"] == 200 for name in names)

# %% [markdown]
# (`style_layer_weights` are for the paper's $E_\ell$, so four times the course's.) The layer
# numbers are positions in a list. In the TensorFlow 2 release 0, 3, 5, 6 are conv1, fire3, fire4, fire5,
# and content is 2, fire2; releases that count conv1's ReLU by itself have 1, 4, 6, 7 and 3.
#
# The tutorial shows the picture at iterations 0, 100 and 199: the start, the middle, the end.

# %%
strip = []
middle = lesson.iterations // 2


def keep(step):
    if step.iteration in (0, middle, lesson.iterations):
        strip.append(step.picture())


strip_run = run(1e-4, callbacks=[keep])
assert len(strip) == 3
assert np.array_equal(strip[0], content), "the start is the photograph"

# %% tags=["figure"]
show(
    nst.show_images(
        *strip, titles=[f"iteration {i}" for i in (0, middle, lesson.iterations)], height=2.2
    ),
    "The cat at the start, in the middle and at the end: most has happened by the middle.",
)

# %% tags=["figure"]
show(
    nst.plot_losses(strip_run.history),
    "The losses of that run: style falls at first steeply, then slowly; content rises from zero within a few "
    "iterations, then falls slowly; total variation rises with the first strokes and stays.",
)

# %% [markdown]
# The same with section 7's schedule: by 5 at first, by a thirtieth of that in the last tenth.
#
# *Predict:* will the loss end lower or higher with the drop?

# %%
drop = lesson.iterations * 9 // 10
decayed = run(1e-4, decay="step", decay_rate=1 / 30, decay_every=drop)
totals = [np.array([entry["total"] for entry in r.history]) for r in (strip_run, decayed)]
np.testing.assert_allclose(totals[0][:drop], totals[1][:drop], rtol=1e-3, err_msg="alike so far")
without_drop, with_drop = (total[drop] - total[-1] for total in totals)
assert abs(with_drop) < 0.3 * abs(without_drop), "small steps get nowhere any more"
print(f"at the end {totals[0][-1]:.4g} by 5 throughout, {totals[1][-1]:.4g} with the drop")

# %% tags=["figure"]
figure, axis = plt.subplots(figsize=(6, 2.4), layout="constrained")
for total, line, label in zip(totals, ("--", "-"), ("by 5 throughout", "drops at the dots")):
    axis.semilogy(range(drop // 2, len(total)), total[drop // 2 :], line, label=label)
axis.axvline(drop, color="black", linestyle=":")
axis.set(xlabel="iteration", ylabel="total loss")
axis.legend()
show(
    figure,
    "The second half of both runs: the same up to the dotted line; there the run whose rate drops "
    "stands nearly still, and the other goes on falling.",
)

# %% [markdown]
# A drop is no gain in itself. It calms a run whose steps leap to and fro across the valley's floor, and
# it stops one that is still on its way down, as here. Look at the curve before you choose.

# %% [markdown]
# ## 10. Inversion and texture
# **Feature inversion**: no style, start from noise. **Texture synthesis**: no content.
#
# *Predict:* which of the two will show the cat?

# %%
noise = nst.generate_noise_image(content_image, 1.0, noise="uniform", amplitude=30)
inversion = run(1e-4, beta=0.0, init_image=noise)
texture = run(1e-4, alpha=0.0, init_image=noise)
assert inversion.history[-1]["content"] < 0.5 * inversion.history[0]["content"]
assert texture.history[-1]["style"] < 0.5 * texture.history[0]["style"]


# %%
def likeness(picture):
    """Return the correlation of a picture with the photograph, in grey."""
    return np.corrcoef(picture.mean(axis=2).ravel(), content.mean(axis=2).ravel())[0, 1]


assert likeness(inversion.picture) > likeness(texture.picture), "only the inversion knows the cat"
print(f"inversion {likeness(inversion.picture):.2f}, texture {likeness(texture.picture):.2f}")

# %% tags=["figure"]
show(
    nst.show_images(
        nst.recover_image(noise),
        inversion.picture,
        texture.picture,
        titles=["start", "inversion", "texture"],
        height=2.2,
    ),
    "Noise; the cat found again from its features; bits of the glass, without any cat.",
)

# %% [markdown]
# ## 11. Summary
# - CS231n's content loss is twice the paper's, its style loss four times. Say the convention with
#   the weight.
# - Total variation takes grain away and, in excess, the strokes. Check it at the border.
# - A schedule acts only if the optimiser asks it at each step.
# - Without style it is inversion, without content it is texture.
#
# ### Exercises
# 1. **Tweak.** Double all `style_layer_weights`. Which other weights must double for the same
#    picture?
# 2. **Twiddle.** Give both runs of the schedule `learning_rate=20.0`. Which ends lower now, and what
#    does the curve before the drop say about it?
# 3. **Twiddle.** Invert conv4_2 in the place of conv3_1. What goes first: colours, or positions?
# 4. **Frob.** Write `tv_loss` with the exponent 1.25, $\sum (d_x^2 + d_y^2)^{1.25}$, as keras.io
#    does. What is it for one bright pixel of height $d$, inside and in the corner?
#
# ### References
# - L. A. Gatys, A. S. Ecker, M. Bethge: *A Neural Algorithm of Artistic Style*, 2015,
#   [arXiv:1508.06576](https://arxiv.org/abs/1508.06576). (Tutorial 1 calls it "CVPR 2015"; the
#   CVPR paper, *Image Style Transfer Using Convolutional Neural Networks*, is of 2016.)
# - F. N. Iandola and others: *SqueezeNet*, 2016,
#   [arXiv:1602.07360](https://arxiv.org/abs/1602.07360).
# - A. Mahendran, A. Vedaldi: *Understanding Deep Image Representations by Inverting Them*, 2015,
#   [arXiv:1412.0035](https://arxiv.org/abs/1412.0035): inversion with total variation.
# - Pictures and their licences: `images/CREDITS.md`.
