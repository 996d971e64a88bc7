# %% [markdown]
# # The method of Gatys, step by step
#
# This lesson builds the method of Gatys, Ecker and Bethge (2015) from arrays, with a check after each step. It follows
# tutorial 0 ("A Neural Algorithm of Artistic Style") in TensorFlow 2.
#
# **Goals.** After this lesson you can
#
# 1. preprocess a picture for VGG and convert it back;
# 2. write the content loss and the style loss, and derive their gradients;
# 3. write the loop that changes the pixels, and explain one step of it.
#
# **Contents**
#
# 1. Set up
# 2. Pictures in and out
# 3. The initial image: noise
# 4. The network
# 5. The content loss
# 6. The style loss
# 7. One step in slow motion
# 8. The loop
# 9. Summary, exercises, references
#
# **You need** Python, NumPy, and to know what a convolution is. No network connection.
# *In Colab, or if the cell below asks for it: first run `!git clone ADDRESS nst_tf`, with the address of the project,
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

# By default some GPUs round factors to 10 bits (TF32); the checks below would fail.
tf.config.experimental.enable_tensor_float_32_execution(False)
lesson = nst.lesson_mode(mode, minutes={"quick": 0.3, "default": 1.5, "full": 7})

# %% [markdown]
# These are the numbers of tutorial 0 (the [list of tutorials](../docs/tutorials.md) has their authors). Its pictures
# have 640x480 pixels; ours are smaller, to save time.

# %%
ALPHA, BETA = 0.0025, 1.0
MEAN_VALUES = np.float32([123.68, 116.779, 103.939])  # red, green, blue
CONTENT_LAYER = "conv4_2"
STYLE_LAYERS = {f"conv{block}_1": 0.5 for block in range(1, 6)}
LEARNING_RATE = 2.0
height, width = lesson.size

# %% [markdown]
# ## 2. Pictures in and out
# VGG was trained on pictures minus the mean color of its training set. Other input is out of the range that the network
# was trained on. So every picture $p$ is converted to an image $x$ for the network, and the result is converted back:
#
# $$x = p - \text{mean}, \qquad p = \text{round}(\text{clip}(x + \text{mean}, 0, 255))$$
#
# *Predict:* the pixel (124, 117, 104) is gray. What is it in $x$?


# %%
def to_image(picture):
    """Return a picture (H, W, 3) uint8 as input for VGG: (1, H, W, 3) float32."""
    return (picture.astype(np.float32) - MEAN_VALUES)[np.newaxis]


to_image(np.uint8([[[124, 117, 104]]]))


# %%
def recover(image):
    """Return an image (1, H, W, 3) as a picture (H, W, 3) uint8."""
    return np.rint(np.clip(image[0] + MEAN_VALUES, 0, 255)).astype(np.uint8)


recover(np.float32([[[[0.4, -500, 500]]]]))

# %% [markdown]
# > **Pitfall: truncation.** `astype(np.uint8)` alone truncates: 254.9 becomes 254, and the whole picture gets darker by
# > half a level on average. Tutorial 0 does this. `np.rint` rounds.

# %%
picture = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
original = picture.copy()
assert (recover(to_image(picture)) == picture).all(), "the round trip must not change the picture"
assert (picture == original).all(), "the input must not be changed"
far = recover(np.float32([[[[0.4, -500, 500]]]]))
assert far.ravel().tolist() == [124, 0, 255], "values out of range are clipped"
print("the round trip returns the same picture")

# %% [markdown]
# `nst.load_image` does the same from a file and resizes the picture. It returns the picture and the image. (`crop` cuts
# off the sides that do not fit; tutorial 0 stretches instead.)

# %%
size = (height, width)
content, content_image = nst.load_image("images/content/chelsea.jpg", size=size, crop=True)
style, style_image = nst.load_image("images/style/night_strokes.jpg", size=size, crop=True)
assert np.array_equal(content_image, to_image(content)), "our image and the package's must agree"
print(content.shape, content.dtype, content_image.shape, content_image.dtype)

# %% tags=["figure"]
drawn = np.uint8(255 * np.clip([content_image[0], style_image[0]], 0, 1))  # as plt.imshow clips
show(
    nst.show_images(content, drawn[0], style, drawn[1], titles=["p", "x, drawn"] * 2, height=2.2),
    "A cat and a moonlit lake, each as a picture and with the mean subtracted. Drawn without "
    "adding the mean, they look odd: values below the mean are black, values above it saturated.",
)

# %% [markdown]
# ## 3. The initial image: noise
# Any image works as the initial image; one near the content saves time. The tutorial mixes content and noise by a
# **noise ratio** $r$:
#
# $$x_0 = r \, n + (1 - r) \, x_\text{content}$$


# %%
def generate_noise_image(image, noise_ratio, amplitude=20.0, seed=0):
    """Return a mix of an image and noise, uniform between -amplitude and amplitude."""
    noise = np.random.default_rng(seed).uniform(-amplitude, amplitude, image.shape)
    return np.float32(noise_ratio * noise + (1 - noise_ratio) * image)


ratios = [0.0, 0.2, 0.4, 0.6, 1.0]
starts = [generate_noise_image(content_image, ratio) for ratio in ratios]

# %%
assert np.array_equal(starts[0], content_image), "ratio 0 is the content itself"
assert abs(starts[-1]).max() <= 20, "ratio 1 is noise alone"
theirs = nst.generate_noise_image(content_image, 0.6, noise="uniform", seed=0)
assert np.allclose(starts[3].std(), theirs.std(), rtol=0.01), "as much noise as the package's"

# %% tags=["figure"]
figure = nst.show_images(
    *[recover(start) for start in starts], titles=[f"r = {ratio}" for ratio in ratios], height=1.8
)
show(figure, "The cat at five noise ratios: it fades to gray with grain; at 1 only noise remains.")

# %% [markdown]
# Tutorial 0 says that the picture "sometimes looks sharper" with some noise. Let us *measure* sharpness as the
# variance of the Laplacian (each pixel compared with its four neighbors).
#
# *Predict:* does it rise or fall from ratio 0 to 0.2? And from 0.4 to 1?


# %%
def sharpness(picture):
    """Return the variance of the Laplacian of the gray picture."""
    gray = picture.astype(np.float32).mean(axis=2)
    around = gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:]
    return float(np.var(around - 4 * gray[1:-1, 1:-1]))


sharp = [sharpness(recover(start)) for start in starts]
print({f"r = {ratio}": round(value) for ratio, value in zip(ratios, sharp)})
assert sharp[1] < sharp[0], "with little noise the cat and its edges fade"
assert sharp[4] > sharp[2], "with much noise there is only grain"

# %% [markdown]
# The number falls as the cat fades and grows with the grain, even when no cat is left: a Laplacian can't distinguish an
# edge from grain. What the tutorial calls sharper is grain on top of edges that are still visible.
#
# > **Pitfall: invisible noise.** The generator of the tutorial draws from a normal distribution with a standard
# > deviation of 1, on a scale of 0..255. You have to stretch the contrast to see it. The course version (tutorial 3)
# > uses uniform noise with an amplitude of 20, as we do.

# %% [markdown]
# ## 4. The network
# `load_vgg_model` reads the convolutions and replaces max pooling with **average pooling**, as the paper suggests. It
# omits the fully connected layers, which only classify. The result, a trunk, is a dictionary from layer names to
# layers.

# %%
model = nst.load_vgg_model()
print(model.name)
print(*model)

# %% [markdown]
# The cell above prints VGG-19 if its file is in `model/`. Otherwise it prints the *embedded* network, VGG-16, which is
# smaller and was also trained on ImageNet. It has all the layers that the paper uses.

# %%
# To check after the run that the network has not changed.
before = {name: np.array(model[name].kernel).sum() for name in ["conv1_1", "conv5_1"]}
layers = [CONTENT_LAYER, *STYLE_LAYERS]
features = nst.extract_features(model, content_image, layers)
for layer, feature_map in features.items():
    print(f"{layer}: (1, H, W, N) = {tuple(feature_map.shape)}")

# %% [markdown]
# A feature map has $N$ channels at $M = H \cdot W$ positions. Flattened, it is a matrix
# $F \in \mathbb{R}^{M \times N}$ with one row for each *position* and one column for each *filter*.
#
# > **Error in the tutorial.** It says $F \in \mathbb{R}^{M \times N}$ and also that "each row is a filter". Only one
# > can be true. We use $M \times N$; the Gram matrix below is then $F^T F$.


# %%
def flat(feature_map):
    """Return (1, H, W, N) as F, (M, N)."""
    return tf.reshape(feature_map, (-1, feature_map.shape[3]))


F = flat(features["conv4_2"])
assert F.shape[0] == features["conv4_2"].shape[1] * features["conv4_2"].shape[2]
print(F.shape)

# %% tags=["figure"]
figure = nst.show_feature_maps(model, content_image, "conv2_1", count=8)
show(figure, "Eight strong channels of conv2_1 for the cat: each is bright at its own pattern.")

# %% [markdown]
# ## 5. The content loss
# How far is the feature map $F$ of the current picture from the content's, $P$? Equation (1):
#
# $$L_c = \frac{1}{2} \sum_{i,j} (F_{ij} - P_{ij})^2$$


# %%
def content_loss(F, P):
    return 0.5 * tf.reduce_sum((F - P) ** 2)


content_loss(tf.constant([[1.0, 2], [3, 4]]), tf.constant([[1.0, 0], [3, 1]]))

# %%
P = flat(features[CONTENT_LAYER])
assert content_loss(P, P) == 0, "a picture has the content loss 0 against itself"
assert content_loss(tf.ones((2, 3)), tf.zeros((2, 3))) == 3, "six ones, squared, halved"
maps = features[CONTENT_LAYER]
np.testing.assert_allclose(content_loss(2 * P, P), nst.content_loss(2 * maps, maps), rtol=1e-4)
print("our function and nst.content_loss agree")

# %% [markdown]
# Its **gradient** is equation (2). $F = \text{ReLU}(z)$ is the output of a ReLU, and the gradient is that with respect
# to its input $z$ (the paper writes $\partial F$):
#
# $$\frac{\partial L_c}{\partial z_{ij}} = \begin{cases} F_{ij} - P_{ij} & F_{ij} > 0 \\ 0 & F_{ij} = 0 \end{cases}$$
#
# The factor 1/2 cancels the 2 of the derivative. If the output of the ReLU is 0, a small change of its input changes
# nothing.
#
# TensorFlow computes gradients, too. A `tf.GradientTape` records the operations on the tensors that it watches;
# `tape.gradient(y, x)` then returns $\partial y / \partial x$. It watches a `tf.Variable` by itself; other tensors need
# `tape.watch`.


# %%
x = tf.constant(3.0)
with tf.GradientTape() as tape:
    tape.watch(x)
    y = x**2
assert tape.gradient(y, x) == 6, "the derivative of x**2 is 2 x"


# %%
def content_gradient(F, P):
    return tf.where(F > 0, F - P, 0.0)


z = tf.random.stateless_normal((6, 4), seed=(1, 2))  # before the ReLU
goal = tf.abs(tf.random.stateless_normal((6, 4), seed=(3, 4)))
with tf.GradientTape() as tape:
    tape.watch(z)
    loss = content_loss(tf.nn.relu(z), goal)
by_hand = content_gradient(tf.nn.relu(z), goal)
np.testing.assert_allclose(tape.gradient(loss, z), by_hand, rtol=1e-5, atol=1e-6)
print("equation (2) agrees with the tape")

# %% [markdown]
# ## 6. The style loss
# The **Gram matrix** measures how strongly two filters respond together, summed over all positions:
#
# $$G_{ij} = \sum_k F_{ki} F_{kj}$$
#
# Here it is as a loop, as a matrix product, and in Einstein notation:


# %%
def gram_by_loop(F):
    M, N = F.shape
    G = np.zeros((N, N), np.float32)
    for i in range(N):
        for j in range(N):
            G[i, j] = sum(F[k, i] * F[k, j] for k in range(M))
    return G


gram_by_loop(np.float32([[1, 2], [3, 4], [5, 6]]))


# %%
def gram_matrix(F):
    return tf.matmul(F, F, transpose_a=True)


small = np.float32(tf.random.stateless_normal((5, 3), seed=(5, 6)))
np.testing.assert_allclose(gram_matrix(small), gram_by_loop(small), rtol=1e-4)
np.testing.assert_allclose(gram_matrix(small), np.einsum("ki,kj->ij", small, small), rtol=1e-4)
print("loop, product and einsum agree")

# %%
G = gram_matrix(F).numpy()
assert G.shape == (F.shape[1], F.shape[1]), "N by N: one row and one column for each filter"
np.testing.assert_allclose(G, G.T, rtol=1e-5, err_msg="G must be symmetric")
shuffled = tf.gather(F, np.random.default_rng(0).permutation(F.shape[0]))
np.testing.assert_allclose(gram_matrix(shuffled), G, rtol=1e-3, atol=1e-3 * G.max())
print("shuffling the positions does not change the Gram matrix")

# %% [markdown]
# With the Gram matrix $A$ of the painting, a layer contributes (equation 4)
#
# $$E_\ell = \frac{1}{4 N_\ell^2 M_\ell^2} \sum_{i,j} (G_{ij} - A_{ij})^2$$


# %%
def layer_style_loss(G, A, N, M):
    return tf.reduce_sum((G - A) ** 2) / (4 * N**2 * M**2)


layer_style_loss(tf.eye(2), tf.zeros((2, 2)), N=2, M=3)  # two ones / (4 * 4 * 9)

# %%
style_features = nst.extract_features(model, style_image, STYLE_LAYERS)
A_all = {layer: gram_matrix(flat(style_features[layer])) for layer in STYLE_LAYERS}
M, N = flat(features["conv3_1"]).shape
ours = layer_style_loss(gram_matrix(flat(features["conv3_1"])), A_all["conv3_1"], N, M)
per_position = [
    nst.gram_matrix(maps["conv3_1"], per_position=True) for maps in (features, style_features)
]
np.testing.assert_allclose(ours, nst.layer_style_loss(*per_position), rtol=1e-3)
print(f"E of conv3_1: {ours:.4g}, as in nst.layer_style_loss")

# %% [markdown]
# `nst.gram_matrix(..., per_position=True)` returns $G/M$. Each picture is divided by its own $M$, so content and
# painting may have different sizes; for equal sizes the result is equation (4). CS231n divides $G$ by $M N$ and omits
# the 1/4, so its loss is four times ours.
#
# The gradient, equation (6), also holds where $F > 0$. By the chain rule, the derivative of $E$ with respect to $G$ is
# $\frac{2 (G - A)}{4 N^2 M^2}$. $F$ appears twice in $G = F^T F$, which gives another factor of 2 (because $G - A$ is
# symmetric, both terms are the same). Together they cancel the 4:
#
# $$\frac{\partial E_\ell}{\partial z_{ij}} = \frac{1}{N^2 M^2} \left( F \, (G - A) \right)_{ij}$$


# %%
def style_gradient(F, A):
    M, N = F.shape
    return tf.where(F > 0, tf.matmul(F, gram_matrix(F) - A) / (N**2 * M**2), 0.0)


target = gram_matrix(goal)
with tf.GradientTape() as tape:
    tape.watch(z)
    fired = tf.nn.relu(z)
    loss = layer_style_loss(gram_matrix(fired), target, *fired.shape[::-1])
by_hand = style_gradient(fired, target)
np.testing.assert_allclose(tape.gradient(loss, z), by_hand, rtol=1e-4, atol=1e-6)
print("equation (6) agrees with the tape")

# %% [markdown]
# All layers together give equation (5): $L_s = \sum_\ell w_\ell E_\ell$. The tutorial's code uses the weight 0.5 for
# each of the five layers. They add up to 2.5, not to 1: the weights of the paper would be 0.2.


# %%
def style_loss(maps, A_all, weights):
    total = 0.0
    for layer, weight in weights.items():
        F = flat(maps[layer])
        M, N = F.shape
        total += weight * layer_style_loss(gram_matrix(F), A_all[layer], N, M)
    return total


assert style_loss(style_features, A_all, STYLE_LAYERS) == 0, "the painting has its own style"
assert sum(STYLE_LAYERS.values()) == 2.5
style_loss(features, A_all, STYLE_LAYERS)

# %% [markdown]
# ## 7. One step in slow motion
# Equation (7) combines both: $L = \alpha L_c + \beta L_s$.


# %%
def losses(image):
    maps = nst.extract_features(model, image, layers)
    content = content_loss(flat(maps[CONTENT_LAYER]), P)
    style = style_loss(maps, A_all, STYLE_LAYERS)
    return {"content": content, "style": style, "total": ALPHA * content + BETA * style}


{name: float(loss) for name, loss in losses(tf.constant(content_image)).items()}

# %%
image = tf.Variable(content_image)
with tf.GradientTape() as tape:
    total = losses(image)["total"]
gradient = tape.gradient(total, image)
assert gradient.shape == image.shape, "one number for each value of the image"
assert np.isfinite(gradient).all()
print(f"total {float(total):.4g}; the gradient's largest entry: {np.abs(gradient).max():.3g}")

# %% [markdown]
# *Predict:* if the image is the content, where is the gradient largest: in the even background, in the fur, or in the
# eyes?


# %%
def strength(gradient):
    """Return a picture of |gradient|, brighter where it is larger; white is its 99th percentile."""
    each = np.abs(gradient).sum(axis=3)[0]
    gray = np.uint8(255 * np.minimum(each / np.quantile(each, 0.99), 1))
    return np.repeat(gray[..., np.newaxis], 3, axis=2)


# %% tags=["figure"]
change = -LEARNING_RATE * np.sign(gradient)  # nearly the first step of Adam (section 8)
figure = nst.show_images(
    content,
    strength(gradient),
    recover(content_image + 10 * change),
    titles=["image", "|gradient|", "a step, ten times as long"],
    height=2.4,
)
show(
    figure,
    "The cat; the absolute gradient, strongest in the eyes; and the cat after a step against the "
    "sign of the gradient, ten times as long as the first one, which shifts the colors to pink and "
    "yellow in small patches.",
)

# %% [markdown]
# ## 8. The loop
# A **factory**, a function that returns a function, makes the update step. The step is a `tf.function`: TensorFlow
# traces it once, which means that it runs the Python code to build a graph of operations, and then only executes the
# graph.
# This is faster than running the Python code each time.
#
# > **Pitfall: the stale `tf.function`.** The graph contains the values that Python variables had during tracing.
# > `losses` reads `ALPHA` from the notebook, so a later `ALPHA = 1` has no effect on an `update` that exists already.
# > `make_update` is called for each run, so each run has its own trace.


# %%
def make_update(image, losses, optimizer):
    """Return a function that changes the image once and returns the losses before that."""
    optimizer.build([image])  # creates its variables (averages of gradients) before tracing

    @tf.function
    def update():
        with tf.GradientTape() as tape:
            found = losses(image)
        optimizer.apply_gradients([(tape.gradient(found["total"], image), image)])
        return found

    return update


# %%
def run(start, losses, iterations, every):
    """Return the last image, those during the run, and the losses of each iteration."""
    image = tf.Variable(start)
    update = make_update(image, losses, tf.keras.optimizers.Adam(LEARNING_RATE))
    history, stages = [], []
    for iteration in range(iterations):
        if iteration % every == 0:
            stages.append(image.numpy())
        history.append({name: float(loss) for name, loss in update().items()})
    return image.numpy(), stages, history


# %%
every = lesson.iterations // 4
final, stages, history = run(content_image, losses, lesson.iterations, every)
result, strip = recover(final), [recover(image) for image in stages]
print(f"total loss: {history[0]['total']:.4g} at first, {history[-1]['total']:.4g} at the end")

# %%
assert history[-1]["total"] < 0.7 * history[0]["total"], "the loss should have fallen by 30 %"
assert history[-1]["style"] < history[0]["style"], "the style loss falls"
assert history[0]["content"] == 0 < history[-1]["content"], "the content loss rises"
after = {name: np.array(model[name].kernel).sum() for name in before}
assert after == before, "the network must not change: only the picture does"
print("the picture changed, the network did not")

# %% tags=["figure"]
titles = [f"{number * every}" for number in range(len(strip))] + [f"{lesson.iterations}"]
show(
    nst.show_images(*strip, result, titles=titles, height=1.8),
    f"The cat during the run, with the number of iterations, at {width}x{height}: first orange "
    "contours, then blue and longer strokes.",
)

# %% tags=["figure"]
show(
    nst.plot_losses(history),
    "The losses over the iterations, logarithmic: style and total fall, and at first coincide; "
    "content, drawn without its weight ALPHA, starts at zero (outside this axis), rises steeply in "
    "the first iterations and slowly after that.",
)

# %% [markdown]
# This is the gradient of section 7 again, for images during the run.
#
# *Predict:* the loss falls during the whole run. Does the gradient shrink to zero?


# %%
def gradient_of(image):
    """Return the gradient of the total loss with respect to an image."""
    image = tf.constant(image)
    with tf.GradientTape() as tape:
        tape.watch(image)
        total = losses(image)["total"]
    return tape.gradient(total, image).numpy()


points = {"0": content_image, f"{every}": stages[1], f"{lesson.iterations}": final}
gradients = {name: gradient_of(image) for name, image in points.items()}
sizes = {name: float(np.abs(each).mean()) for name, each in gradients.items()}
print({name: f"{value:.3g}" for name, value in sizes.items()})
np.testing.assert_allclose(gradients["0"], gradient, rtol=1e-3, atol=1e-3 * np.abs(gradient).max())
assert 0.01 * sizes["0"] < sizes[f"{lesson.iterations}"] < sizes["0"], "smaller, but not zero"

# %% tags=["figure"]
show(
    nst.show_images(
        *map(strength, gradients.values()),
        titles=[f"|gradient| at {name}" for name in gradients],
        height=2.2,
    ),
    "The absolute gradient at the start, during the run and at the end. Each picture is scaled "
    "to its own largest values: compare positions here, and sizes by the numbers above.",
)

# %% [markdown]
# The gradient shrinks, but it is not zero at the end: the loss would fall further. Adam divides each step by the size
# of the gradient, so the steps do not shrink with it.

# %% [markdown]
# **A step with weights as arguments.** To change a weight *during* a run, pass it to the traced function as an
# argument, and as a tensor: each new Python number would be traced again. This step also clips the pixels to the range
# from black to white after each update.

# %%
LOW, HIGH = -MEAN_VALUES, 255 - MEAN_VALUES


def make_weighted_update(image, losses, optimizer):
    """Return update(alpha, beta), which changes the image once and returns the previous total."""
    optimizer.build([image])

    @tf.function
    def traced(alpha, beta):
        with tf.GradientTape() as tape:
            found = losses(image)
            total = alpha * found["content"] + beta * found["style"]
        optimizer.apply_gradients([(tape.gradient(total, image), image)])
        image.assign(tf.clip_by_value(image, LOW, HIGH))
        return total

    return lambda alpha, beta: traced(*(tf.constant(w, tf.float32) for w in (alpha, beta)))


# %%
noisy = tf.Variable(starts[1])
update = make_weighted_update(noisy, losses, tf.keras.optimizers.Adam(300.0))  # much too large
expected = losses(tf.constant(starts[1]))
np.testing.assert_allclose(update(1, 0), expected["content"], rtol=1e-3)
assert noisy.numpy().min() >= LOW.min() - 1e-3, "nothing darker than black"
assert noisy.numpy().max() <= HIGH.max() + 1e-3, "nothing brighter than white"
expected = losses(tf.identity(noisy))
np.testing.assert_allclose(update(0.0, 1.0), expected["style"], rtol=1e-3, err_msg="old weights?")

# %% [markdown]
# Tutorial 0 saves a picture at iterations 0, 50, ..., 450 and omits the last one, 500. The loop above always returns
# the last one.
#
# `nst.style_transfer` runs the same optimization and shows the picture during the run:

# %% tags=["figure"]
packaged = nst.style_transfer(
    content_image,
    style_image,
    model,
    alpha=ALPHA,
    beta=BETA,
    tv_weight=0.0,
    clip=False,
    style_layer_weights=(0.5,) * 5,
    learning_rate=LEARNING_RATE,
    iterations=lesson.iterations,
    callbacks=[nst.live(every, caption="A cat in the strokes of a moonlit lake")],
)

# %%
np.testing.assert_allclose(packaged.history[0]["total"], history[0]["total"], rtol=1e-3)
np.testing.assert_allclose(packaged.history[10]["total"], history[10]["total"], rtol=0.05)
print("our loop and nst.style_transfer have the same losses at iterations 0 and 10")

# %% tags=["figure"]
show(
    nst.show_images(content, style, result, titles=["content", "style", "result"], height=2.6),
    f"Content, style and result: {lesson.iterations} iterations of Adam with the learning rate "
    f"{LEARNING_RATE}, {width}x{height}, float32, from the content, {model.name}.",
)

# %% [markdown]
# ## 9. Summary
# - VGG takes a picture minus the mean color. To convert back, add the mean, clip and round.
# - The content loss compares feature maps position by position. The style loss compares Gram matrices, which do not
#   depend on positions.
# - The gradients of both losses take one line each and agree with the tape.
# - Only the picture changes, not the network. A factory makes the step, so no trace is stale.
#
# ### Exercises
# The labels are programmers' slang: *tweak* is a small change, *twiddle* a larger one, and *frob* an open-ended
# experiment.
#
# 1. **Tweak.** Set `ALPHA = 250` and run the cell with `final, stages, history = run(...)` again. Predict first: will
#    the final content loss be higher or lower? Why do you not need to run the cell of `losses` again?
# 2. **Twiddle.** Start from `generate_noise_image(content_image, 0.6)` (and skip the next cell: its checks are for a
#    start from the content). How does the curve of the content loss differ from the one above, and why?
# 3. **Frob.** Use max pooling (`nst.load_vgg_model(pooling="max")`). Which cells have to run again? (Check: the content
#    loss must be 0 at the start.) Compare the two results. Which one do you find better?
# 4. **Frob.** Match only the *diagonal* of the Gram matrices: how strongly each filter responds, not which filters
#    respond together. The diagonal has fewer entries, so increase `BETA` until both style losses start at about the same
#    value. Compare the results in the mode `"default"`. What do the other entries add?
#
# ### References
# - L. A. Gatys, A. S. Ecker, M. Bethge: *A Neural Algorithm of Artistic Style*, 2015,
#   [arXiv:1508.06576](https://arxiv.org/abs/1508.06576): equations (1) to (7).
# - K. Simonyan, A. Zisserman: *Very Deep Convolutional Networks for Large-Scale Image Recognition*,
#   2015, [arXiv:1409.1556](https://arxiv.org/abs/1409.1556).
# - D. P. Kingma, J. Ba: *Adam: A Method for Stochastic Optimization*, 2015,
#   [arXiv:1412.6980](https://arxiv.org/abs/1412.6980).
# - Pictures and their licenses: `images/CREDITS.md`.
