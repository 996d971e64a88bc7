# %% [markdown]
# # Losses, inversion, texture
#
# This lesson compares the losses of several programs and uses them for feature inversion and texture synthesis. It
# follows tutorial 1, "Neural Style Transfer using Convolutional Neural Networks"
# ([details](../docs/tutorials.md#tutorial-1-neural-style-transfer-using-convolutional-neural-networks)), which itself
# follows assignment 3 of Stanford's course CS231n: three losses, a small network, and two experiments. The lesson
# contains neither text nor code of the assignment.
#
# **Goals.** After this lesson, you can
#
# 1. write the content, style and total variation losses of CS231n, and convert weights between conventions;
# 2. explain what total variation is for, and check an implementation at the border;
# 3. invert features, and synthesize a texture.
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

import nst_tf as nst

lesson = nst.lesson_mode(mode, minutes={"quick": 0.6, "default": 3, "full": 15})

# %% [markdown]
# ## 2. Two networks
# The course uses **SqueezeNet** 1.1 "for its small size and efficiency": 1.2 million parameters, compared with 20
# million in the convolutions of VGG-19. This notebook can't download its weights. If they are in `model/` (see
# `model/README.md`), the next cells load them; the rest of the lesson uses VGG.
#
# | | SqueezeNet 1.1 | VGG-16's trunk | VGG-19's trunk |
# | --- | --- | --- | --- |
# | million parameters | 1.2 (all) | 14.7 | 20.0 |
# | first layer | 3x3, stride 2 | 3x3, stride 1 | 3x3, stride 1 |
# | pooling | maximum | average or maximum | average or maximum |


# %%
def parameters(model):
    """Return the number of parameters of the convolutions of a VGG trunk."""
    return sum(
        np.size(model[name].kernel) + np.size(model[name].bias) for name in model.convolutions
    )


vgg = nst.load_vgg_model()
print(f"{vgg.name}: {parameters(vgg) / 1e6:.1f} million parameters")

# %%
try:
    squeezenet = nst.load_squeezenet_model()
    deepest = nst.receptive_fields(squeezenet)[squeezenet.convolutions[-1]]
    print(f"{squeezenet.name}: {len(squeezenet)} layers, receptive field {deepest.size} pixels")
except nst.WeightsError as error:
    print("without SqueezeNet:", str(error).split(";")[0].split(":")[0])

# %% [markdown]
# Activations have a different scale in each network, so loss weights for one network don't fit another. In a
# **normalized** trunk, the mean activation of each filter is one (Gatys, CVPR 2016), so similar loss weights fit every
# network. Here, the mean is taken over both pictures; over the painting alone, shown below, it is near one.

# %%
content, content_image = nst.load_image("images/content/chelsea.jpg", size=lesson.size, crop=True)
style, style_image = nst.load_image("images/style/stained_glass.jpg", size=lesson.size, crop=True)
model = nst.normalize_trunk(vgg, [content_image, style_image])
means = {
    name: float(tf.reduce_mean(nst.extract_features(model, style_image, [name])[name]))
    for name in ("conv1_1", "conv3_1", "conv4_2")
}
assert all(0.05 < mean < 20 for mean in means.values()), "all have about the same size"
print({name: round(mean, 2) for name, mean in means.items()})

# %% tags=["figure"]
show(
    nst.show_images(content, style, titles=["content", "style"], height=2.4),
    "The content, a cat, and the style, stained glass.",
)

# %% [markdown]
# ## 3. The content loss
# CS231n uses a weight $w_c$ and omits the factor 1/2 of the paper:
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
assert content_loss(1.0, P, P) == 0, "a picture has the content loss 0 against itself"
np.testing.assert_allclose(content_loss(1.0, F, P), nst.content_loss(F, P, scale="sum"), rtol=1e-4)
np.testing.assert_allclose(content_loss(1.0, F, P), 2 * nst.content_loss(F, P), rtol=1e-4)
print("CS231n's content loss is twice the paper's")

# %% [markdown]
# ## 4. The style loss
# By default, CS231n divides the Gram matrix by $H W C$ ($C$ is the $N$ of the paper):
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
# The style loss sums over layers, each with a weight $w_\ell$:
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
# Each of five programs divides the style loss by a different number. Two of the five results are equal, as the checks
# show.
#
# *Predict:* by what factor do the largest and the smallest of the five numbers below differ?

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
print(f"largest / smallest: {keras / d2l:.0f}, for all pictures of this size")

# %% tags=["figure"]
figure, axis = plt.subplots(figsize=(7, 2.4), layout="constrained")
axis.barh(list(conventions), list(conventions.values()), color="#0b6e99")
axis.set(xscale="log", xlabel="style loss of conv3_1, logarithmic")
show(
    figure,
    "The same difference in five programs, on a logarithmic axis: the values span more than five "
    "powers of ten. A weight without its convention means nothing.",
)

# %% [markdown]
# > **Pitfall: Keras' convention changes the weights of the layers.** It divides by 3 channels and the size of the
# > *picture* at every layer. Relative to the paper, the five layers of VGG then have the weights 455 : 114 : 28 : 7 :
# > 0.4.

# %% [markdown]
# ## 6. Total variation: the defect first
# The next cells run without total variation and show the high frequencies of the result: the difference of each pixel
# from the mean of its neighbors. (The weights are those of the course for The Starry Night, from section 9; `beta` 4
# converts the style loss of the paper to that of the course.)


# %%
def run(tv_weight, **changes):
    """Return the result of a short run with the normalized trunk."""
    parameters = {
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
    return nst.style_transfer(content_image, style_image, model, **{**parameters, **changes})


without = run(0.0)


# %%
def high_pass(picture):
    """Return each pixel minus the mean of its four neighbors, as a picture around gray."""
    p = np.pad(picture.astype(np.float32), ((1, 1), (1, 1), (0, 0)), "edge")
    around = (p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:]) / 4
    return np.uint8(np.clip(128 + 2 * (picture - around), 0, 255))


assert (high_pass(np.full((4, 5, 3), 77, np.uint8)) == 128).all(), "a flat picture becomes gray"

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
    "The photograph and the result without total variation, with their high frequencies: the "
    "result has a pattern of scales where the photograph is smooth.",
)

# %% [markdown]
# The remedy is total variation: the sum of the squared differences of all adjacent pixels, with a weight $w_t$:
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
# For simple pictures, you can compute the value by hand. Such a check finds mistakes at the border:

# %%
d, colors, rows, columns = 2.0, 3, 5, 7
flat = np.zeros((1, rows, columns, colors), np.float32)
edge, inside, corner_row = flat.copy(), flat.copy(), flat.copy()
edge[:, :, 4:] = d
inside[0, 2, 3] = d
corner_row[0, -1, 3] = d
assert tv_loss(flat, 1.0) == 0, "a constant picture varies nowhere"
assert tv_loss(edge, 1.0) == colors * rows * d**2, "a vertical edge: one step in each row"
assert tv_loss(inside, 1.0) == 4 * colors * d**2, "one pixel: four neighbors"
assert tv_loss(corner_row, 1.0) == 3 * colors * d**2, "one pixel in the last row: three neighbors"
np.testing.assert_allclose(tv_loss(content_image, 1.0), nst.tv_loss(content_image), rtol=1e-4)

# %% [markdown]
# > **Pitfall: squared or absolute?** TensorFlow's own tutorial introduces total variation as a "sum of the squares" and
# > then sums absolute values. Squares blur every edge; with absolute values, one large step costs no more than many
# > small ones with the same sum.

# %%
absolute = nst.tv_loss(edge, "absolute")
assert absolute == colors * rows * d
assert float(tf.image.total_variation(tf.constant(edge))[0]) == absolute, (
    "TensorFlow's function is the absolute one"
)
assert tf.image.total_variation(tf.constant(edge)).shape == (1,), (
    "it returns one number for each picture"
)

# %% [markdown]
# *Predict:* what happens to the grain and to the lead lines of the glass when $w_t$ increases?

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
    "The cat without, with some and with much total variation. The first two look nearly the "
    "same, although the variation has fallen by half; the third is blurred and has lost the fine "
    "lines.",
)

# %% [markdown]
# ## 7. A learning rate that decays, or does not
# The course uses Adam with a learning rate of 3.0, and 0.1 after step 180 (its pixels range from about -2 to 2.6). In
# some of its notebooks, the schedule is *called only once*, before the loop, so the learning rate never changes.

# %%
schedule = tf.keras.optimizers.schedules.PiecewiseConstantDecay([180], [3.0, 0.1])
called_once = tf.keras.optimizers.Adam(float(schedule(0)))  # a number: constant
handed_over = tf.keras.optimizers.Adam(schedule)  # a function of the step: decays
rates = np.array([[float(schedule(0)), float(schedule(step))] for step in range(200)])
assert rates[181, 1] == np.float32(0.1), "it should have decayed"
assert rates[181, 0] == 3.0, "constant if the schedule was called once"

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
axis.semilogy(rates[:, 1], label="passed to Adam")
axis.set(xlabel="iteration", ylabel="learning rate")
axis.legend()
show(
    figure,
    "The learning rate over 200 iterations: if the schedule is called once, it stays at 3 "
    "(dashed); if the schedule is passed to Adam, it falls to 0.1 after iteration 180.",
)

# %% [markdown]
# > To find such a bug, print the rate that the optimizer *uses*, `optimizer.learning_rate`.
#
# ## 8. Bug hunt: the loader
# This loader first shrinks a picture and then resizes it to the final shape. It contains one mistake. Find it before
# you read on.

# %%
from PIL import Image


def load_in_two_steps(path, height, width):
    """Return a picture, (height, width, 3) uint8."""
    shrunk = Image.open(path).convert("RGB").resize((height, width))
    return np.array(shrunk.resize((width, height)))


suspect = load_in_two_steps("images/content/chelsea.jpg", *lesson.size)
correct, _ = nst.load_image("images/content/chelsea.jpg", size=lesson.size)  # also stretched
assert suspect.shape == correct.shape == (*lesson.size, 3), "the shape is correct"

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
    "The cat loaded correctly and by the two steps: they look the same. The difference, around "
    "gray, is a fine pattern along edges, mostly vertical ones.",
)


# %%
def variation_by_direction(picture):
    """Return the mean squared vertical and horizontal differences."""
    x = picture.astype(np.float32)
    return float(np.mean(np.diff(x, axis=0) ** 2)), float(np.mean(np.diff(x, axis=1) ** 2))


downwards, sideways = np.divide(variation_by_direction(suspect), variation_by_direction(correct))
print(f"share of the correct variation: {downwards:.2f} vertically, {sideways:.2f} horizontally")
assert sideways < 0.95, "horizontal detail is lost"
assert sideways < downwards, "more than vertical detail"

# %% [markdown]
# The picture is blurred more horizontally than vertically. Pillow's `resize` takes (width, height), while the shape of
# an array is (height, width). The first step passes the order of an array to Pillow. The second step restores the
# shape, so no check of the shape fails.
#
# One release of the course's loader also swapped height and width, but did not restore the shape, so the photograph was
# squashed. Its published check value, a total variation of 1704.19, is that of the squashed picture; with correct
# proportions, it is 303.47.
#
# To find such a bug, look at the picture and test with sides that differ. To avoid it, document the order in the
# docstring.
#
# ## 9. Three sets of numbers
# The course pairs one photograph, a street in Tübingen, with three paintings, and gives weights for each. They are
# presets here:

# %%
names = ["cs231n-composition", "cs231n-scream", "cs231n-starry"]
for name in names:
    preset = nst.PRESETS[name].knobs
    w = [round(weight / 4) for weight in preset["style_layer_weights"]]
    print(f"{name:19} w_c {preset['alpha']:g}  w_l {w}  style size {preset['style_size']}")
assert all(nst.PRESETS[name].knobs["iterations"] == 200 for name in names)

# %% [markdown]
# (`style_layer_weights` multiply the paper's $E_\ell$, so they are four times those of the course.) The layer numbers
# of the course are positions in a list. In the TensorFlow 2 release, the style layers 0, 3, 5 and 6 are conv1, fire3,
# fire4 and fire5, and the content layer 2 is fire2. In releases that count the ReLU of conv1 separately, the same
# layers have the numbers 1, 4, 6, 7 and 3.
#
# The tutorial shows the picture at iterations 0, 100 and 199, that is, at the start, in the middle and at the end.

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
    "The cat at the start, in the middle and at the end: after the middle it hardly changes.",
)

# %% tags=["figure"]
show(
    nst.plot_losses(strip_run.history),
    "The losses of this run: style falls steeply at first, then slowly; content rises from zero "
    "within a few iterations, then falls slowly; total variation rises in the first iterations "
    "and stays about constant.",
)

# %% [markdown]
# The next run uses the schedule of section 7: a learning rate of 5, divided by 30 in the last tenth.
#
# *Predict:* is the final loss lower or higher with the drop?

# %%
drop = lesson.iterations * 9 // 10
decayed = run(1e-4, decay="step", decay_rate=1 / 30, decay_every=drop)
totals = [np.array([entry["total"] for entry in r.history]) for r in (strip_run, decayed)]
np.testing.assert_allclose(totals[0][:drop], totals[1][:drop], rtol=1e-3, err_msg="same so far")
without_drop, with_drop = (total[drop] - total[-1] for total in totals)
assert abs(with_drop) < 0.3 * abs(without_drop), "small steps make little progress"
print(f"at the end: {totals[0][-1]:.4g} with a constant rate, {totals[1][-1]:.4g} with the drop")

# %% tags=["figure"]
figure, axis = plt.subplots(figsize=(6, 2.4), layout="constrained")
for total, line, label in zip(totals, ("--", "-"), ("constant rate", "drop at the dots")):
    axis.semilogy(range(drop // 2, len(total)), total[drop // 2 :], line, label=label)
axis.axvline(drop, color="black", linestyle=":")
axis.set(xlabel="iteration", ylabel="total loss")
axis.legend()
show(
    figure,
    "The total loss in the second half of both runs: the same up to the dotted line; after it, "
    "the run whose rate drops makes almost no progress, while the other continues to fall.",
)

# %% [markdown]
# A drop in the learning rate is not an improvement in itself. It helps a run whose steps oscillate around the minimum,
# but it slows down a run that is still making progress, as here. Look at the curve before you choose.

# %% [markdown]
# ## 10. Inversion and texture
# Both experiments start from noise. **Feature inversion** omits the style loss, and **texture synthesis** omits the
# content loss.
#
# *Predict:* which of the two shows the cat?

# %%
noise = nst.generate_noise_image(content_image, 1.0, noise="uniform", amplitude=30)
inversion = run(1e-4, beta=0.0, init_image=noise)
texture = run(1e-4, alpha=0.0, init_image=noise)
assert inversion.history[-1]["content"] < 0.5 * inversion.history[0]["content"]
assert texture.history[-1]["style"] < 0.5 * texture.history[0]["style"]


# %%
def likeness(picture):
    """Return the correlation of a gray picture with the gray photograph."""
    return np.corrcoef(picture.mean(axis=2).ravel(), content.mean(axis=2).ravel())[0, 1]


assert likeness(inversion.picture) > likeness(texture.picture), "only the inversion has the cat"
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
    "Noise; the cat reconstructed from its features; and a texture of small blobs in the colors "
    "of the glass.",
)

# %% [markdown]
# ## 11. Summary
# - The content loss of CS231n is twice that of the paper, its style loss four times. State the convention together with
#   the weight.
# - Total variation removes grain and, with a large weight, the strokes. Check it at the border.
# - A learning-rate schedule works only if the optimizer evaluates it at each step.
# - Without style, the method inverts features; without content, it synthesizes textures.
#
# ### Exercises
# The labels are programmers' slang: *tweak* is a small change, *twiddle* a larger one, and *frob* an open-ended
# experiment.
#
# 1. **Tweak.** Double all `style_layer_weights`. Which other weights must you double to get the same picture?
# 2. **Twiddle.** Use `learning_rate=20.0` for both runs of the schedule. Which run has the lower final loss now, and
#    how does the curve before the drop explain this?
# 3. **Twiddle.** Invert conv4_2 instead of conv3_1. What is lost first: colors, or positions?
# 4. **Frob.** Write `tv_loss` with the exponent 1.25, $\sum (d_x^2 + d_y^2)^{1.25}$, as keras.io does. What is its
#    value for one bright pixel of height $d$, inside and in the corner?
#
# ### References
# - L. A. Gatys, A. S. Ecker, M. Bethge: *A Neural Algorithm of Artistic Style*, 2015,
#   [arXiv:1508.06576](https://arxiv.org/abs/1508.06576). (Tutorial 1 cites it as "CVPR 2015". The CVPR paper, *Image
#   Style Transfer Using Convolutional Neural Networks*, is from 2016.)
# - F. N. Iandola and others: *SqueezeNet*, 2016,
#   [arXiv:1602.07360](https://arxiv.org/abs/1602.07360).
# - A. Mahendran, A. Vedaldi: *Understanding Deep Image Representations by Inverting Them*, 2015,
#   [arXiv:1412.0035](https://arxiv.org/abs/1412.0035): inversion with total variation.
# - Pictures and their licenses: `images/CREDITS.md`.
