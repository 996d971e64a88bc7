# %% [markdown]
# # Art generation, from sessions to TensorFlow 2
#
# This lesson translates a TensorFlow 1 course program into TensorFlow 2: three cost functions and the session that
# minimizes them. It follows tutorial 3, "Art Generation using Neural Style Transfer"
# ([details](../docs/tutorials.md#tutorial-3-art-generation-using-neural-style-transfer)), from week 4 of the fourth
# course of the deeplearning.ai specialization. The equations of the tutorial were images that are now missing; this
# lesson writes them out.
#
# **Goals.** After this lesson, you can
#
# 1. write $J_{content}$, the style matrix, $J_{style}$ and $J$, and check them against published values;
# 2. translate a session program into TensorFlow 2;
# 3. read a log of losses, and explain why two correct programs can print different numbers.
#
# **Contents**
#
# 1. Set up
# 2. The problem, and transfer learning
# 3. The content cost
# 4. The style matrix
# 5. The style cost
# 6. The total cost
# 7. From sessions to TensorFlow 2
# 8. The eight steps
# 9. Reading a log
# 10. Things to remember, exercises, references
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

# By default some GPUs round factors to 10 bits (TF32); the checks below would fail.
tf.config.experimental.enable_tensor_float_32_execution(False)
lesson = nst.lesson_mode(mode, minutes={"quick": 0.3, "default": 1.7, "full": 8})

# %% [markdown]
# ## 2. The problem, and transfer learning
# A content image $C$ and a style image $S$ are combined into a generated image $G$. The network that compares them was
# trained for another task: to classify objects. Using it for a new task is called *transfer learning*.

# %%
model = nst.load_vgg_model()
content, content_image = nst.load_image("images/content/coffee.jpg", size=lesson.size, crop=True)
style, style_image = nst.load_image("images/style/waves.jpg", size=lesson.size, crop=True)
print(model.name)

# %% tags=["figure"]
show(
    nst.show_images(content, style, titles=["C", "S"], height=2.4),
    "C, a cup of coffee, and S, a woodblock print of breaking waves.",
)

# %% [markdown]
# In the course, the model is a dictionary of tensors. Here, it is a dictionary of layers, and `extract_features` runs
# an image through them.

# %%
out = nst.extract_features(model, content_image, ["conv4_2"])["conv4_2"]
assert list(model)[0] == "conv1_1"
assert out.shape[3] == 512, "conv4_2 has 512 channels"
print("a_C:", tuple(out.shape), "= (1, n_H, n_W, n_C)")

# %% [markdown]
# ## 3. The content cost
# (This lesson uses the letters of the course. $A$ is what lesson 2 calls $F^T$, with one row for each filter. $G^{(S)}$
# is the Gram matrix of the painting, which lesson 2 calls $A$. $G$ without an index is the generated image.)
#
# The content cost compares the activations $a^{(C)}$ and $a^{(G)}$ of a layer that is "neither too shallow nor too
# deep":
#
# $$J_{content}(C, G) = \frac{1}{4 \, n_H n_W n_C} \sum_{\text{all entries}} (a^{(C)} - a^{(G)})^2$$


# %%
def compute_content_cost(a_C, a_G):
    _, n_H, n_W, n_C = a_G.shape
    return tf.reduce_sum((a_C - a_G) ** 2) / (4 * n_H * n_W * n_C)


compute_content_cost(tf.ones((1, 2, 2, 3)), tf.zeros((1, 2, 2, 3)))  # 12 / (4 * 12)

# %% [markdown]
# The course publishes the result of a correct function for random numbers with a fixed seed.


# %%
def drawn(shape):
    """Return the two activations of the course's checks (random numbers of TensorFlow, seed 1)."""
    tf.random.set_seed(1)
    return [tf.random.normal(shape, mean=1, stddev=4) for _ in range(2)]


one, other = (a[0] for a in drawn([1, 1, 4, 4, 3]))
assert compute_content_cost(one, one) == 0, "a picture has the content cost 0 against itself"
assert compute_content_cost(one, other) > 0
np.testing.assert_allclose(compute_content_cost(one, other), 7.0568767, rtol=2e-4)
np.testing.assert_allclose(nst.content_loss(other, one, scale="quarter-mean"), 7.0568767, rtol=2e-4)
print("J_content:", float(compute_content_cost(one, other)))

# %% [markdown]
# ## 4. The style matrix
# First **unroll**: an array of $n_H \times n_W \times n_C$ numbers becomes a matrix with one row for each channel,
# $(n_C, n_H n_W)$. An example with 2 x 2 positions and 3 channels:

# %%
cube = np.arange(12).reshape(2, 2, 3)  # cube[row, column, channel]
unrolled = cube.reshape(4, 3).T  # one row for each channel
assert unrolled.shape == (3, 4)
assert list(unrolled[0]) == [0, 3, 6, 9], "the first channel at its four positions"
unrolled

# %% tags=["figure"]
figure, axes = plt.subplots(1, 4, figsize=(7, 2), layout="constrained", width_ratios=[1, 1, 1, 2])
for axis, numbers, title in zip(
    axes,
    [*np.moveaxis(cube, 2, 0), unrolled],
    ["channel 1", "channel 2", "channel 3", "unrolled: 3 rows"],
):
    axis.imshow(numbers, cmap="gray", vmin=-24, vmax=12)
    for (row, column), number in np.ndenumerate(numbers):
        axis.text(column, row, number, ha="center", va="center")
    axis.set(title=title, xticks=[], yticks=[])
show(
    figure,
    "Three channels of 2x2 numbers, and the same numbers unrolled: each channel is a row of four.",
)

# %% [markdown]
# > **Pitfall: reshape alone mixes channels.** `cube.reshape(3, 4)` has the correct shape but the wrong order: each row
# > contains numbers from all channels. First reshape to $(n_H n_W, n_C)$, then transpose.

# %%
assert cube.reshape(3, 4).shape == unrolled.shape
assert not np.array_equal(cube.reshape(3, 4), unrolled), "same shape, other numbers"

# %% [markdown]
# The style matrix, or **Gram matrix**, compares channels: $G_{ij} = v_i^T v_j = \sum_k A_{ik} A_{jk}$.


# %%
def gram_matrix(A):
    return tf.matmul(A, A, transpose_b=True)  # A is (n_C, n_H * n_W)


tf.random.set_seed(1)
A = tf.random.normal([3, 2], mean=1, stddev=4)
GA = gram_matrix(A)
assert GA.shape == (3, 3), "one row and one column for each channel"
np.testing.assert_allclose(GA, tf.transpose(GA), err_msg="G must be symmetric")
np.testing.assert_allclose(GA[0], [63.1888, -26.721275, -7.7320204], rtol=2e-4)

# %%
features = tf.reshape(tf.transpose(A), (1, 1, 2, 3))
np.testing.assert_allclose(nst.gram_matrix(features)[0], GA, rtol=1e-4)
print("our function and nst.gram_matrix agree")

# %% [markdown]
# According to the course, $G_{ii}$ "measures how active filter $i$ is". For a filter that detects vertical textures,
# $G_{ii}$ measures how common such textures are. The next cells test this with two filters and two pictures of stripes.
#
# *Predict:* which of the four diagonal entries are large?

# %%
stripes = np.tile([0.0, 0, 1, 1], (16, 4))  # vertical


def edges(picture):
    """Return two channels as rows, (2, 15 x 15): vertical and horizontal edges."""
    both = [np.abs(np.diff(picture, axis=axis, append=0)) for axis in (1, 0)]
    return np.stack([channel[:15, :15].ravel() for channel in both])


grams = [edges(picture) @ edges(picture).T for picture in (stripes, stripes.T)]
assert grams[0][0, 0] > 10 * grams[0][1, 1], "vertical stripes activate the first filter"
assert grams[1][1, 1] > 10 * grams[1][0, 0], "horizontal stripes activate the second"

# %% tags=["figure"]
figure, axes = plt.subplots(1, 4, figsize=(7, 2), layout="constrained")
for axis, shown, title in zip(
    axes,
    [stripes, grams[0], stripes.T, grams[1]],
    ["vertical", "its Gram", "horizontal", "its Gram"],
):
    axis.imshow(shown, cmap="gray")
    axis.set(title=title, xticks=[], yticks=[])
show(
    figure,
    "Vertical stripes and their 2x2 Gram matrix, bright at the upper left; horizontal stripes "
    "and their Gram matrix, bright at the lower right.",
)

# %% [markdown]
# ## 5. The style cost
# $$J_{style}^{[l]}(S, G) = \frac{1}{4 \, n_C^2 (n_H n_W)^2} \sum_{i,j} (G^{(S)}_{ij} - G^{(G)}_{ij})^2$$


# %%
def compute_layer_style_cost(a_S, a_G):
    _, n_H, n_W, n_C = a_G.shape
    GS, GG = (gram_matrix(tf.transpose(tf.reshape(a, (-1, n_C)))) for a in (a_S, a_G))
    return tf.reduce_sum((GS - GG) ** 2) / (4 * n_C**2 * (n_H * n_W) ** 2)


small_S, small_G = drawn([1, 4, 4, 3])
assert compute_layer_style_cost(small_S, small_S) == 0, "the painting has its own style"
np.testing.assert_allclose(compute_layer_style_cost(small_S, small_G), 14.017805, rtol=2e-4)
per_position = [nst.gram_matrix(a, per_position=True) for a in (small_G, small_S)]
np.testing.assert_allclose(nst.layer_style_loss(*per_position), 14.017805, rtol=2e-4)

# %% [markdown]
# The pitfall above, reshape without transpose, gives 2.9204 for the same numbers. It runs without an error, and the
# optimizer can minimize it, but the result is wrong.

# %%
wrong = [tf.matmul(*[tf.reshape(a, (3, 16))] * 2, transpose_b=True) for a in (small_S, small_G)]
cost = tf.reduce_sum((wrong[0] - wrong[1]) ** 2) / (4 * 3**2 * 16**2)
np.testing.assert_allclose(cost, 2.9204, rtol=1e-3)

# %% [markdown]
# The style costs of several layers are added with weights $\lambda^{[l]}$ whose sum is 1:
#
# $$J_{style}(S, G) = \sum_l \lambda^{[l]} J_{style}^{[l]}(S, G)$$

# %%
STYLE_LAYERS = {"conv1_1": 0.2, "conv2_1": 0.2, "conv3_1": 0.2, "conv4_1": 0.2, "conv5_1": 0.2}
assert np.isclose(sum(STYLE_LAYERS.values()), 1)


def compute_style_cost(a_S, a_G):
    return sum(
        weight * compute_layer_style_cost(a_S[layer], a_G[layer])
        for layer, weight in STYLE_LAYERS.items()
    )


a_S = nst.extract_features(model, style_image, STYLE_LAYERS)
assert compute_style_cost(a_S, a_S) == 0

# %% [markdown]
# > **Pitfall: shifted lists.** The TensorFlow 2 release of the course once paired `a_S[1:]` with `a_G[:-1]`, so each
# > layer was compared with its neighbor. If you look up layers by name, this can't happen.
#
# ## 6. The total cost
# $$J(G) = \alpha J_{content}(C, G) + \beta J_{style}(S, G)$$


# %%
def total_cost(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + beta * J_style


np.testing.assert_allclose(total_cost(0.2, 0.8), 34)
np.testing.assert_allclose(total_cost(0.3, 0.5, alpha=3, beta=8), 4.9)
np.testing.assert_allclose(nst.total_loss(0.2, 0.8, alpha=10, beta=40), 34)

# %% [markdown]
# ## 7. From sessions to TensorFlow 2
# | TensorFlow 1, as in the tutorial | TensorFlow 2, as here |
# | --- | --- |
# | `sess = tf.InteractiveSession()` | nothing: operations run when called |
# | `model["input"].assign(image)` | `extract_features(model, image, layers)`: the image is an argument |
# | `sess.run(model["conv4_2"])` | the returned dictionary's `["conv4_2"]` |
# | `a_G = out`, a tensor without a value yet | computed inside the step |
# | `tf.train.AdamOptimizer(2.0).minimize(J)` | `tape.gradient(J, image)`, `optimizer.apply_gradients` |
# | `sess.run(tf.global_variables_initializer())` | `tf.Variable(start)` has its value at once |
# | `sess.run(train_step)` in a loop | `train_step()`, a `tf.function` |
#
# `nst_tf.notebook.coursera` has the functions of the course under their original names.
#
# ## 8. The eight steps
# The tutorial numbers its steps from 1 to 8 but omits number 6. Steps 1, 2, 3 and 5 (session, pictures, model) are done
# above. Step 4 is the **random initial image**, 60 % noise with an amplitude of 20 and 40 % content.

# %%
start = nst.generate_noise_image(content_image, noise_ratio=0.6, noise="uniform", amplitude=20)
assert start.shape == content_image.shape
assert abs(start - 0.4 * content_image).max() <= 0.6 * 20 + 1e-3

# %% tags=["figure"]
show(
    nst.show_images(nst.recover_image(start), titles=["start"], height=2.4),
    "The initial image: the cup, pale and grainy.",
)

# %% [markdown]
# Step 7 defines the computation. In TensorFlow 1, it is a graph that a session runs; here, it is a function.

# %%
a_C = nst.extract_features(model, content_image, ["conv4_2"])["conv4_2"]


def costs(image):
    """Return J, J_content and J_style of an image."""
    a_G = nst.extract_features(model, image, ["conv4_2", *STYLE_LAYERS])
    J_content = compute_content_cost(a_C, a_G["conv4_2"])
    J_style = compute_style_cost(a_S, a_G)
    return total_cost(J_content, J_style), J_content, J_style


assert float(costs(tf.constant(content_image))[1]) == 0, "the content has no content cost"


# %%
def make_train_step(image, costs, optimizer):
    """Return a function that changes the image once and returns the previous costs."""
    optimizer.build([image])

    @tf.function
    def train_step():
        with tf.GradientTape() as tape:
            J, J_content, J_style = costs(image)
        optimizer.apply_gradients([(tape.gradient(J, image), image)])
        return J, J_content, J_style

    return train_step


# %% [markdown]
# Step 8 initializes the image, runs the steps, and prints the costs at intervals, as the tutorial does.
#
# *Predict:* will the content cost fall or rise?


# %%
def model_nn(start, num_iterations, every):
    """Return the generated image and the log: (iteration, J, J_content, J_style)."""
    image = tf.Variable(start)
    train_step = make_train_step(image, costs, tf.keras.optimizers.Adam(2.0))
    log = []
    for i in range(num_iterations):
        found = [float(cost) for cost in train_step()]
        log.append((i, *found))
        if i % every == 0:
            print("iteration {}: total {:.4g}, content {:.4g}, style {:.4g}".format(*log[-1]))
    return image.numpy(), log


generated, log = model_nn(start, lesson.iterations, lesson.iterations // 5)

# %%
assert log[-1][1] < 0.5 * log[0][1], "the total cost falls"
assert log[-1][3] < log[0][3], "the style cost falls"
assert np.isfinite(generated).all()
for _, *found in log:
    np.testing.assert_allclose(found[0], 10 * found[1] + 40 * found[2], rtol=1e-4)
print("10 J_content + 40 J_style = J in every line")

# %% tags=["figure"]
result = nst.recover_image(generated)
show(
    nst.show_images(content, style, result, titles=["C", "S", "G"], height=2.3),
    "Content, style and the generated image: the cup, with the blue of the waves along its rim "
    f"and short carved lines everywhere. {lesson.iterations} iterations of Adam with the learning "
    f"rate 2, {lesson.size[1]}x{lesson.size[0]}, float32, {model.name}.",
)

# %% [markdown]
# The package gives the same numbers, with one parameter for each setting (the preset `coursera-tf1` contains all of
# them):

# %% tags=["figure"]
parameters = {
    "content_scale": "quarter-mean",
    "alpha": 10.0,
    "beta": 40.0,
    "tv_weight": 0.0,
    "style_layer_weights": (0.2,) * 5,
    "learning_rate": 2.0,
    "clip": False,
}
packaged = nst.style_transfer(
    content_image,
    style_image,
    model,
    init_image=start,
    **parameters,
    iterations=lesson.iterations,
    callbacks=[nst.live(10, caption="The cup")],
)

# %%
np.testing.assert_allclose(packaged.history[0]["total"], log[0][1], rtol=1e-3)
np.testing.assert_allclose(packaged.history[10]["total"], log[10][1], rtol=0.05)
print("the package has the same losses")

# %% [markdown]
# ## 9. Reading a log
# Students of the course have published the output of their program for a photograph of the Louvre and a painting by
# Monet, with VGG-19:

# %%
published = np.array(
    [  # iteration, total, content, style
        [0, 5.05035e9, 7877.67, 1.26257e8],
        [20, 9.43282e8, 15187.1, 2.35783e7],
        [40, 4.84914e8, 16785.8, 1.21187e7],
        [60, 3.12578e8, 17465.4, 7.81007e6],
        [180, 9.73408e7, 18500.9, 2.4289e6],
    ]
)
iteration, total, of_content, of_style = published.T
np.testing.assert_allclose(10 * of_content + 40 * of_style, total, rtol=1e-4)
print("their log obeys 10 J_content + 40 J_style = J")

# %%
assert (np.diff(total) < 0).all()
assert (np.diff(of_content) > 0).all(), "the content cost rises"
share = 10 * of_content / total
print("share of the content in the total:", [f"{part:.2g}" for part in share])

# %% [markdown]
# The total cost falls while the content cost *rises*. This is correct: the initial image is close to the content, and
# at first the style cost is thousands of times larger. Changes that lower the style cost also change the content. (In
# our run, the content cost rises fast at first and then more slowly.)

# %% tags=["figure"]
figure, axes = plt.subplots(1, 2, figsize=(8, 2.6), layout="constrained")
axes[0].semilogy(iteration, total, "o-", iteration, of_content, "s--", iteration, of_style, "^:")
for curve, line in zip(np.array(log).T[1:], ["-", "--", ":"]):
    axes[1].semilogy(curve, line)
axes[1].legend(["total", "content", "style"], loc="center left", bbox_to_anchor=(1, 0.5))
for axis, title in zip(axes, ["published, VGG-19", "ours"]):
    axis.set(title=title, xlabel="iteration", ylabel="cost")
show(
    figure,
    "Costs over the iterations, logarithmic, in the published log (left) and in ours (right): "
    "both totals and style costs fall, both content costs rise. Values differ because size, "
    "pictures and network differ.",
)

# %% [markdown]
# **Why your numbers may differ.** Two correct programs rarely print the same digits:
#
# - *TF32*: some GPUs multiply numbers with only 10 bits after the binary point. The expected values in the course's own
#   check of the Gram matrix were computed this way, so the check rejects an exact result. The set-up cell turns TF32
#   off: with it, the second number of the Gram matrix above would be off by 3e-4.
# - *Seeds*: in the TensorFlow 1 release, random numbers depend on the position of the operation in the graph.
# - *Preprocessing*: the TensorFlow 2 release passes pixels from 0 to 1, without subtracting the mean.

# %% [markdown]
# ## 10. Things to remember
# - The content cost compares activations; the style cost compares Gram matrices.
# - A diagonal entry measures how active a filter is; the others measure which filters respond together.
# - To unroll features, reshape *and* transpose.
# - $\alpha$ and $\beta$ set the balance. A rising content cost is not an error.
#
# ### Exercises
# The labels are programmers' slang: *tweak* is a small change, *twiddle* a larger one, and *frob* an open-ended
# experiment.
#
# 1. **Tweak.** In `costs`, return `total_cost(J_content, J_style, alpha=1e6)`. Before you run it, predict the first
#    line of the log: which of the three numbers change, and by how much? Which check do you have to change?
# 2. **Twiddle.** Give conv5_1 all the weight. What does the picture lose, and why does the log still look good?
# 3. **Frob.** Write the step of the TensorFlow 2 release: pixels between 0 and 1, `clip_by_value` after each step, and
#    Adam with a learning rate of 0.01. Which of our functions do not need to change?
#
# ### References
# - L. A. Gatys, A. S. Ecker, M. Bethge: *A Neural Algorithm of Artistic Style*, 2015,
#   [arXiv:1508.06576](https://arxiv.org/abs/1508.06576).
# - H. Narayanan: *Convolutional neural networks for artistic style transfer*, 2017,
#   [harishnarayanan.org/writing/artistic-style-transfer](https://harishnarayanan.org/writing/artistic-style-transfer/).
# - log0: *TensorFlow Implementation of "A Neural Algorithm of Artistic Style"*, 2016.
# - K. Simonyan, A. Zisserman: *Very Deep Convolutional Networks for Large-Scale Image
#   Recognition*, 2015, [arXiv:1409.1556](https://arxiv.org/abs/1409.1556). Weights: MatConvNet,
#   [vlfeat.org/matconvnet/pretrained](http://www.vlfeat.org/matconvnet/pretrained/).
# - Pictures and their licenses: `images/CREDITS.md`.
