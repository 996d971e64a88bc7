# %% [markdown]
# # Assignment: neural style transfer, from arrays to a training step
#
# In this assignment you write the losses and the training step of neural style transfer. It has ten questions and 30
# points, and takes two to two and a half hours. All code runs in seconds: it uses a small random network instead of
# VGG, so you need no weights.
#
# **Instructions**
#
# - Replace each `raise NotImplementedError()` with your code. Keep the names and the arguments.
# - Each question is followed by a cell of checks. Run it: if it prints nothing, all checks passed. They are not
#   complete: grading also tests other shapes and other numbers.
# - In questions 2 to 7, use TensorFlow operations, not NumPy: question 7 computes gradients through them. "A scalar"
#   is a tensor of shape ().
# - Each question is graded separately. If it uses the function of an earlier question, the grader supplies a correct
#   version.
# - Your functions must not change their arguments, except the image in question 7. They may use modules, the constants
#   and the network below, and the functions of earlier questions, but no other global names.
# - You may add cells to try things out. A helper function belongs in the answer cell of the question that uses it.
#
# **Contents**: 1 pixels, 2 content loss and its gradient, 3 Gram matrix, 4 style loss of a layer, 5 style
# cost, 6 total variation, 7 a training step, 8 bug hunt, 9 an experiment, 10 short answers.
#
# **You need** TensorFlow, NumPy, Pillow and matplotlib. Lessons 1 to 4 teach what the questions require. Red lines
# about oneDNN or CUDA below the first cells are start-up messages of TensorFlow, not errors.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import os
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

# When this is graded, a warning below a cell of checks would count as an error.
warnings.filterwarnings("ignore")
tf.get_logger().setLevel("ERROR")

# By default, some GPUs round factors to 10 bits, and correct answers would fail the checks.
tf.config.experimental.enable_tensor_float_32_execution(False)
MEAN = np.float32([123.68, 116.779, 103.939])  # red, green, blue
LOW, HIGH = -MEAN, 255 - MEAN  # what black and white become when the mean is subtracted

# %% [markdown]
# The network has three convolutions with random filters from a fixed seed. `features(image)` returns the three feature
# maps by name, each (1, H, W, N), after a ReLU. If a mistake in your code changes the filters, run this cell again.

# %% nbgrader={"grade": false, "grade_id": "network", "locked": true, "schema_version": 3, "solution": false, "task": false}
FILTERS = {
    "conv1": tf.Variable(tf.random.stateless_normal((3, 3, 3, 6), (1, 1)) * 0.02),
    "conv2": tf.Variable(tf.random.stateless_normal((3, 3, 6, 8), (2, 2)) * 0.3),
    "conv3": tf.Variable(tf.random.stateless_normal((3, 3, 8, 10), (3, 3)) * 0.3),
}


def features(image):
    """Return the feature maps (1, H, W, N) of an image (1, H, W, 3), by layer name."""
    maps, x = {}, image
    for name, filters in FILTERS.items():
        x = tf.nn.relu(tf.nn.conv2d(x, filters, 1, "SAME"))
        maps[name] = x
    return maps


# %% [markdown]
# ## Question 1: pixels in and out (2 points)
# `preprocess` takes a picture, (H, W, 3) uint8, RGB, and returns the input of the network: (1, H, W, 3) float32, with
# the mean subtracted, still RGB. `deprocess` is the inverse: it adds the mean, rounds to the nearest integer, clips to
# 0..255, and returns (H, W, 3) uint8. Its argument is an array, a tensor or a `tf.Variable` (`np.asarray` takes all
# three).


# %% nbgrader={"grade": false, "grade_id": "q1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def preprocess(picture):
    """Return a picture (H, W, 3) uint8 as an image (1, H, W, 3) float32."""
    ### BEGIN SOLUTION
    return (picture.astype(np.float32) - MEAN)[np.newaxis]
    ### END SOLUTION


def deprocess(image):
    """Return an image (1, H, W, 3) float32 as a picture (H, W, 3) uint8."""
    ### BEGIN SOLUTION
    return np.rint(np.clip(np.asarray(image)[0] + MEAN, 0, 255)).astype(np.uint8)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "q1_checks", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
q1_picture = np.arange(60, dtype=np.uint8).reshape(4, 5, 3) * 4
q1_image = preprocess(q1_picture)
assert q1_image.shape == (1, 4, 5, 3), "preprocess: expected one batch axis in front"
assert q1_image.dtype == np.float32, "preprocess: expected float32"
assert np.array_equal(deprocess(q1_image), q1_picture), "there and back must give the same picture"
q1_red = preprocess(np.uint8([[[200, 100, 50]]]))[0, 0, 0]
assert np.allclose(q1_red, [76.32, -16.779, -53.939], atol=1e-3), (
    "preprocess: is each channel's own mean subtracted once, and is the order still red, green, blue?"
)
q1_far = deprocess(np.float32([[[[500, -500, 0.9]]]]))
assert q1_far.dtype == np.uint8, "deprocess: expected uint8"
assert q1_far[0, 0, 0] == 255, (
    "deprocess: values brighter than white must be clipped, not wrap around"
)
assert q1_far[0, 0, 1] == 0, "deprocess: values darker than black must be clipped, not wrap around"
assert q1_far[0, 0, 2] == 105, "deprocess: 104.839 is rounded to 105, not truncated to 104"
### BEGIN HIDDEN TESTS
q1_before = q1_picture.copy()
preprocess(q1_picture)
assert np.array_equal(q1_picture, q1_before), "preprocess must not change its argument"
q1_constant = np.array(q1_image)
deprocess(q1_image)
assert np.array_equal(q1_image, q1_constant), "deprocess must not change its argument"
assert np.array_equal(deprocess(tf.Variable(q1_image)), q1_picture), "deprocess: a tf.Variable too"
assert np.array_equal(deprocess(tf.constant(q1_image)), q1_picture), "deprocess: a tensor too"
### END HIDDEN TESTS

# %% [markdown]
# ## Question 2: content loss and its gradient (3 points)
# Write equation (1) of Gatys et al. (2015, arXiv:1508.06576) and its gradient, equation (2), where $F$ is the output of
# a ReLU. Where the ReLU returns $F_{ij} = 0$, the gradient is 0. (This is the gradient
# with respect to the *input* of the ReLU.) The sum is over all entries, for any shape:
#
# $$L = \frac{1}{2} \sum (F - P)^2, \qquad \frac{\partial L}{\partial F_{ij}} = \begin{cases} F_{ij} - P_{ij}
# & F_{ij} > 0 \\ 0 & F_{ij} \le 0 \end{cases}$$


# %% nbgrader={"grade": false, "grade_id": "q2", "locked": false, "schema_version": 3, "solution": true, "task": false}
def content_loss(F, P):
    """Return the content loss, a scalar, of two feature maps of any equal shape."""
    ### BEGIN SOLUTION
    return 0.5 * tf.reduce_sum((F - P) ** 2)
    ### END SOLUTION


def content_gradient(F, P):
    """Return its gradient with respect to F, by hand: no GradientTape."""
    ### BEGIN SOLUTION
    return tf.where(F > 0, F - P, tf.zeros_like(F))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "q2_checks", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
q2_F = tf.constant([[0.0, 2.0], [3.0, 0.0], [1.0, 4.0]])
q2_P = tf.constant([[1.0, 2.0], [1.0, 0.0], [2.0, 1.0]])
assert float(content_loss(q2_P, q2_P)) == 0, "content_loss(P, P) must be 0"
assert np.isclose(content_loss(q2_F, q2_P), 7.5), "half of 1 + 4 + 1 + 9: is the 1/2 there?"
assert np.allclose(content_gradient(q2_F, q2_P), [[0, 0], [2, 0], [-1, 3]]), (
    "content_gradient: F - P where F > 0, else 0 (tf.where; a product with a mask needs a mask of floats)"
)
### BEGIN HIDDEN TESTS
q2_z = tf.random.stateless_normal((1, 3, 5, 4), (7, 8))
q2_goal = tf.nn.relu(tf.random.stateless_normal((1, 3, 5, 4), (9, 10)))
with tf.GradientTape() as q2_tape:
    q2_tape.watch(q2_z)
    q2_value = 0.5 * tf.reduce_sum((tf.nn.relu(q2_z) - q2_goal) ** 2)
q2_expected = q2_tape.gradient(q2_value, q2_z)
assert np.isclose(content_loss(tf.nn.relu(q2_z), q2_goal), q2_value, rtol=1e-4), (
    "content_loss: the sum over all entries, of maps (1, H, W, N) too, not the mean"
)
assert np.allclose(content_gradient(tf.nn.relu(q2_z), q2_goal), q2_expected, atol=1e-5), (
    "content_gradient: differs from the tape's gradient through a ReLU"
)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 3: the Gram matrix (3 points)
# Compute the Gram matrices of feature maps (B, H, W, N), a batch of B pictures. For each picture,
# $G_{ij} = \sum_k F_{ki} F_{kj}$, where $F$ is its map as a matrix $(M, N)$ with one row for each of the $M = H W$
# positions and one column for each channel. Do not divide by anything. (`tf.matmul` transposes by `transpose_a=True`;
# tensors have no `.T`.)


# %% nbgrader={"grade": false, "grade_id": "q3", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gram_matrix(maps):
    """Return the Gram matrices (B, N, N) of feature maps (B, H, W, N)."""
    ### BEGIN SOLUTION
    return tf.einsum("bhwi,bhwj->bij", maps, maps)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "q3_checks", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
q3_maps = tf.constant(np.arange(12.0, dtype=np.float32).reshape(1, 2, 2, 3))
q3_G = gram_matrix(q3_maps)
assert tuple(q3_G.shape) == (1, 3, 3), "N by N for each picture: which axis is summed over?"
assert np.allclose(q3_G, np.transpose(q3_G, (0, 2, 1))), "G must be symmetric"
q3_small = tf.constant([[[[1.0, 2.0], [3.0, 4.0]]]])  # two positions, two channels
assert np.allclose(gram_matrix(q3_small)[0], [[10, 14], [14, 20]]), (
    "gram_matrix: numbers differ from [[1 + 9, 2 + 12], [2 + 12, 4 + 16]]. Are channels and positions separate "
    "(reshape to (M, N) first), and is nothing divided?"
)
assert np.allclose(q3_G[0, 0], [126, 144, 162]), (
    "gram_matrix: numbers differ. Are channels and positions separate (reshape to (M, N) first), and "
    "is nothing divided?"
)
q3_two = tf.random.stateless_normal((2, 5, 3, 7), (4, 4))
q3_flat = np.reshape(q3_two, (2, 15, 7))
q3_right = np.stack([each.T @ each for each in q3_flat])
assert tuple(gram_matrix(q3_two).shape) == (2, 7, 7), "gram_matrix: a batch of 2 gives 2 matrices"
### BEGIN HIDDEN TESTS
assert np.allclose(gram_matrix(q3_two), q3_right, atol=1e-3), (
    "gram_matrix: H and W may differ, B may be 2"
)
q3_shuffled = tf.reverse(q3_two, [1, 2])
assert np.allclose(gram_matrix(q3_shuffled), q3_right, atol=1e-3), (
    "gram_matrix: the order of positions must not matter"
)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 4: the style loss of a layer (3 points)
# Content and painting may have different sizes, so first divide each Gram matrix by its own $M$:
#
# $$E = \frac{1}{4 N^2} \sum_{i,j} \left( \frac{G_{ij}}{M_G} - \frac{A_{ij}}{M_A} \right)^2$$
#
# $G$ and the number of positions $M_G$ belong to `current`, $A$ and $M_A$ to `painting`; both have $N$ channels. For
# equal sizes, this is equation (4) of the paper, $\frac{1}{4 N^2 M^2} \sum (G_{ij} - A_{ij})^2$. Use your
# `gram_matrix`.


# %% nbgrader={"grade": false, "grade_id": "q4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def layer_style_loss(current, painting):
    """Return E, a scalar, of two feature maps (1, H, W, N), whose H and W may differ."""

    ### BEGIN SOLUTION
    def per_position(maps):
        return gram_matrix(maps) / (maps.shape[1] * maps.shape[2])

    N = current.shape[3]
    return tf.reduce_sum((per_position(current) - per_position(painting)) ** 2) / (4 * N**2)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "q4_checks", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
def gram_matrix(maps):  # question 3 is graded separately
    return tf.einsum("bhwi,bhwj->bij", maps, maps)


### END HIDDEN TESTS
q4_A = tf.random.stateless_normal((1, 4, 6, 3), (5, 5))
q4_G = tf.random.stateless_normal((1, 5, 3, 3), (6, 6))
assert np.isclose(layer_style_loss(q4_A, q4_A), 0), "the painting against itself: 0"
assert np.shape(layer_style_loss(q4_G, q4_A)) == (), "expected a scalar"
assert float(layer_style_loss(q4_G, q4_A)) > 0, (
    "the loss of two different textures must be positive"
)
q4_ones, q4_zeros = tf.ones((1, 2, 3, 4)), tf.zeros((1, 7, 2, 4))
assert np.isclose(layer_style_loss(q4_ones, q4_zeros), 16 / (4 * 16)), (
    "layer_style_loss: for ones and zeros with N = 4, it is 1/4. Is the 1/4 there, and N squared?"
)
### BEGIN HIDDEN TESTS
q4_tiled = tf.tile(q4_A, (1, 2, 3, 1))
assert np.isclose(layer_style_loss(q4_tiled, q4_A), 0, atol=1e-5), (
    "layer_style_loss: the same texture, repeated, is the same style. Each Gram matrix is divided by its own M, "
    "and the sum by 4 N squared (not N and M swapped)"
)
q4_right = (
    np.sum(
        (np.einsum("bhwi,bhwj->ij", q4_G, q4_G) / 15 - np.einsum("bhwi,bhwj->ij", q4_A, q4_A) / 24)
        ** 2
    )
    / 36
)
assert np.isclose(layer_style_loss(q4_G, q4_A), q4_right, rtol=1e-4), (
    "layer_style_loss: numbers differ at H != W"
)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 5: the style cost (3 points)
# Sum the losses of several layers, each with its weight, by **name**: $L_s = \sum_\ell w_\ell E_\ell$. All three
# arguments are dictionaries by layer name. Only layers in `weights` (at least one) count. Use your `layer_style_loss`.


# %% nbgrader={"grade": false, "grade_id": "q5", "locked": false, "schema_version": 3, "solution": true, "task": false}
def style_cost(current, painting, weights):
    """Return the weighted sum, a scalar.

    current, painting: feature maps by layer name. weights: numbers by layer name.
    """
    ### BEGIN SOLUTION
    return tf.add_n(
        [w * layer_style_loss(current[layer], painting[layer]) for layer, w in weights.items()]
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "q5_checks", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
def layer_style_loss(current, painting):  # question 4 is graded separately
    def per_position(maps):
        return tf.einsum("bhwi,bhwj->bij", maps, maps) / (maps.shape[1] * maps.shape[2])

    return tf.reduce_sum((per_position(current) - per_position(painting)) ** 2) / (
        4 * current.shape[3] ** 2
    )


### END HIDDEN TESTS
q5_images = [tf.random.stateless_normal((1, 8, 9, 3), (n, n)) * 40 for n in (11, 12)]
q5_current, q5_painting = [features(image) for image in q5_images]
assert np.isclose(style_cost(q5_painting, q5_painting, {"conv1": 0.5, "conv3": 0.5}), 0), (
    "the painting against itself: 0"
)
assert np.isclose(
    style_cost(q5_current, q5_painting, {"conv2": 2.0}),
    2 * style_cost(q5_current, q5_painting, {"conv2": 1.0}),
), "twice the weight, twice the cost"
q5_each = {name: float(layer_style_loss(q5_current[name], q5_painting[name])) for name in FILTERS}
q5_weights = {"conv3": 5.0, "conv1": 0.25}
q5_right = 5 * q5_each["conv3"] + 0.25 * q5_each["conv1"]
assert np.isclose(style_cost(q5_current, q5_painting, q5_weights), q5_right, rtol=1e-4), (
    "style_cost: is each layer compared with itself and given its own weight? Weights by name, not by position"
)
### BEGIN HIDDEN TESTS
q5_turned = dict(reversed(q5_painting.items()))
assert np.isclose(style_cost(q5_current, q5_turned, q5_weights), q5_right, rtol=1e-4), (
    "style_cost: the order of a dictionary must not matter"
)
assert np.isclose(
    style_cost(q5_current, q5_painting, {"conv1": 1.0}), q5_each["conv1"], rtol=1e-4
), "style_cost: a layer that is not in `weights` must not count"
### END HIDDEN TESTS

# %% [markdown]
# ## Question 6: total variation (2 points)
# Compute the sum of the *squared* differences between all pixels and their horizontal and vertical neighbors, over all
# channels. Do not use loops.
#
# $$L = \sum_{i, j, c} (x_{i+1, j, c} - x_{i, j, c})^2 + \sum_{i, j, c} (x_{i, j+1, c} - x_{i, j, c})^2$$


# %% nbgrader={"grade": false, "grade_id": "q6", "locked": false, "schema_version": 3, "solution": true, "task": false}
def tv_loss(image):
    """Return the total variation, a scalar, of an image (1, H, W, 3)."""
    ### BEGIN SOLUTION
    down = image[:, 1:] - image[:, :-1]
    right = image[:, :, 1:] - image[:, :, :-1]
    return tf.reduce_sum(down**2) + tf.reduce_sum(right**2)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "q6_checks", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
q6_flat = np.full((1, 4, 6, 3), 7, np.float32)
assert float(tv_loss(tf.constant(q6_flat))) == 0, "the total variation of a constant picture is 0"
q6_ramp = tf.constant([[[[0.0] * 3, [1.0] * 3, [3.0] * 3]]])  # one row of three gray pixels
assert np.isclose(tv_loss(q6_ramp), 3 * 5), (
    "tv_loss: 3 (1 + 4), squared differences in both directions, the last row and column too"
)
q6_inside, q6_row, q6_column, q6_corner = (np.zeros((1, 4, 6, 3), np.float32) for _ in range(4))
q6_inside[0, 1, 2], q6_row[0, -1, 2], q6_column[0, 1, -1], q6_corner[0, -1, -1] = 2, 2, 2, 2
assert np.isclose(tv_loss(tf.constant(q6_inside)), 4 * 3 * 4), (
    "tv_loss: one bright pixel has four neighbors: squared differences, all channels, both directions"
)
### BEGIN HIDDEN TESTS
for q6_image, q6_words in ((q6_row, "last row"), (q6_column, "last column")):
    assert np.isclose(tv_loss(tf.constant(q6_image)), 3 * 3 * 4), (
        f"tv_loss: a bright pixel in the {q6_words} has three neighbors. Is that {q6_words} counted?"
    )
assert np.isclose(tv_loss(tf.constant(q6_corner)), 2 * 3 * 4), "tv_loss: in the corner it has two"
### END HIDDEN TESTS

# %% [markdown]
# ## Question 7: a training step (5 points)
# Write a factory function. It is called once for each run, with a new optimizer. It returns `step(alpha, beta)`, which
# updates the image once and returns the losses *before* the update as a dictionary of scalars: "content", "style", and
# "total" = $\alpha \cdot$ content $+ \beta \cdot$ style. `alpha` and `beta` are Python numbers, such as 0.5 or 1.
#
# - Content is `content_loss` at the layer "conv2" against `content_target`, a feature map.
# - Style is `style_cost` at "conv1" and "conv3", with weights 0.5 each, against `painting`, feature maps by name.
# - `image` is a `tf.Variable` (1, H, W, 3). After the update, clip its pixels to LOW..HIGH.
# - The network must not change, and neither must the targets. (The filters are variables, too: with respect to which
#   variable do you compute the gradient?)
# - `@tf.function` is optional. If you use it, `alpha` and `beta` may differ between calls: the traced function must not
#   keep old values, nor be traced again for each value (TensorFlow then warns; pass float32 tensors).
# - The optimizer has `apply_gradients`; Keras 3 has no `minimize`.


# %% nbgrader={"grade": false, "grade_id": "q7", "locked": false, "schema_version": 3, "solution": true, "task": false}
def make_step(image, content_target, painting, optimizer):
    """Return step(alpha, beta) -> {"content", "style", "total"}; image is clipped after each."""
    ### BEGIN SOLUTION
    optimizer.build([image])

    @tf.function
    def traced(alpha, beta):
        with tf.GradientTape() as tape:
            maps = features(image)
            content = content_loss(maps["conv2"], content_target)
            style = style_cost(maps, painting, {"conv1": 0.5, "conv3": 0.5})
            total = alpha * content + beta * style
        optimizer.apply_gradients([(tape.gradient(total, image), image)])
        image.assign(tf.clip_by_value(image, LOW, HIGH))
        return {"content": content, "style": style, "total": total}

    def step(alpha, beta):
        return traced(tf.constant(alpha, tf.float32), tf.constant(beta, tf.float32))

    return step
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "q7_checks", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
def content_loss(F, P):  # questions 2 to 5 are graded separately
    return 0.5 * tf.reduce_sum((F - P) ** 2)


def style_cost(current, painting, weights):
    def per_position(maps):
        return tf.einsum("bhwi,bhwj->bij", maps, maps) / (maps.shape[1] * maps.shape[2])

    def layer_loss(G, A):
        return tf.reduce_sum((per_position(G) - per_position(A)) ** 2) / (4 * G.shape[3] ** 2)

    return tf.add_n(
        [w * layer_loss(current[layer], painting[layer]) for layer, w in weights.items()]
    )


### END HIDDEN TESTS
q7_before = {name: filters.numpy() for name, filters in FILTERS.items()}
q7_content, q7_style = (
    tf.random.stateless_uniform((1, 10, 12, 3), (n, n), -90.0, 90.0) for n in (21, 22)
)
q7_target, q7_painting = features(q7_content)["conv2"], features(q7_style)
q7_image = tf.Variable(q7_content)
q7_step = make_step(q7_image, q7_target, q7_painting, tf.keras.optimizers.Adam(2.0))
q7_first = q7_step(1e-3, 1)
assert set(q7_first) == {"content", "style", "total"}, "step returns three losses, by name"
for _ in range(20):
    q7_last = q7_step(1e-3, 1)
for q7_name, q7_filters in FILTERS.items():
    assert np.array_equal(q7_filters.numpy(), q7_before[q7_name]), (
        "make_step: the network must not change, only the image (run the network's cell again)"
    )
assert float(q7_last["total"]) < float(q7_first["total"]), (
    "the total must decrease: are alpha and beta in the right places, and does the image change? (It does not if "
    "`content_loss` or `style_cost` uses NumPy.)"
)
q7_image = tf.Variable(q7_content)
q7_step = make_step(q7_image, q7_target, q7_painting, tf.keras.optimizers.Adam(40.0))
q7_losses = {name: float(loss) for name, loss in q7_step(0.5, 2.0).items()}
assert q7_losses["content"] == 0, (
    "make_step: losses are those before the update; for the content image, the content loss is 0"
)
q7_style_first = float(style_cost(features(q7_content), q7_painting, {"conv1": 0.5, "conv3": 0.5}))
assert np.isclose(q7_losses["style"], q7_style_first, rtol=1e-3), (
    "make_step: style is unweighted: without beta, conv1 and conv3 by 0.5, before the update"
)
assert np.isclose(q7_losses["total"], 2 * q7_style_first, rtol=1e-3), (
    "make_step: total = alpha content + beta style"
)
assert np.all(q7_image >= LOW - 1e-3) and np.all(q7_image <= HIGH + 1e-3), (
    "make_step: after the update pixels must be clipped to LOW..HIGH"
)
assert not np.allclose(q7_image, q7_content), "make_step: the image must change"
q7_second = {name: float(loss) for name, loss in q7_step(3.0, 0.0).items()}
assert q7_second["content"] > 0, (
    "make_step: content must be compared with the target that was given, not with the current picture"
)
assert np.isclose(q7_second["total"], 3 * q7_second["content"], rtol=1e-3), (
    "make_step: other weights in a later call must count. Is a traced function keeping old ones?"
)
### BEGIN HIDDEN TESTS
q7_wild = tf.Variable(q7_content)
make_step(q7_wild, q7_target, q7_painting, tf.keras.optimizers.Adam(300.0))(0.5, 2.0)
assert np.allclose(np.min(q7_wild, (0, 1, 2)), LOW, atol=1e-2), (
    "make_step: after the update pixels must be clipped to LOW, of each channel (and by the optimizer given)"
)
assert np.allclose(np.max(q7_wild, (0, 1, 2)), HIGH, atol=1e-2), (
    "make_step: after the update pixels must be clipped to HIGH, of each channel (and by the optimizer given)"
)
for q7_weights, q7_term, q7_start in (
    ((1.0, 0.0), "content", 0.5 * q7_style + 10.0),
    ((0.0, 1.0), "style", q7_content),
):
    q7_moving = tf.Variable(q7_start)
    q7_expected = float(content_loss(features(q7_moving)["conv2"], q7_target))
    q7_step = make_step(q7_moving, q7_target, q7_painting, tf.keras.optimizers.Adam(2.0))
    q7_run = [q7_step(*q7_weights) for _ in range(15)]
    assert np.isclose(float(q7_run[0]["content"]), q7_expected, rtol=1e-3), (
        "make_step: content is content_loss at conv2 against the target that was given, wherever the image starts"
    )
    assert float(q7_run[-1][q7_term]) < 0.5 * float(q7_run[0][q7_term]), (
        f"make_step: with all weight on {q7_term}, it must decrease. Is the gradient that of the weighted total?"
    )
q7_other = tf.Variable(q7_content + 5.0)
q7_other_step = make_step(q7_other, q7_target, q7_painting, tf.keras.optimizers.Adam(2.0))
q7_kept = q7_image.numpy()
q7_other_step(1.0, 1.0)
assert np.array_equal(q7_image.numpy(), q7_kept), "make_step: each step changes its own image only"
### END HIDDEN TESTS

# %% [markdown]
# ## Question 8: bug hunt (2 points)
# This function has **two** bugs. It should shrink a large picture (H, W, 3) uint8 so that its longer side is `longest`,
# preserve the aspect ratio, and return (H', W', 3) uint8. Fix both bugs.
#
# ```python
# def shrink(picture, longest):
#     height, width, _ = picture.shape
#     factor = longest / min(height, width)
#     new_height, new_width = round(height * factor), round(width * factor)
#     return np.array(Image.fromarray(picture).resize((new_height, new_width)))
# ```

# %% nbgrader={"grade": false, "grade_id": "q8", "locked": false, "schema_version": 3, "solution": true, "task": false}
from PIL import Image


def shrink(picture, longest):
    """Return the picture with `longest` pixels on its longer side and the same aspect ratio."""
    ### BEGIN SOLUTION
    height, width, _ = picture.shape
    factor = longest / max(height, width)
    new_height, new_width = round(height * factor), round(width * factor)
    return np.array(Image.fromarray(picture).resize((new_width, new_height)))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "q8_checks", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
q8_square = np.zeros((40, 40, 3), np.uint8)
assert shrink(q8_square, 20).shape == (20, 20, 3), "a square stays a square"
assert max(shrink(np.zeros((40, 50, 3), np.uint8), 20).shape) == 20, (
    "shrink: the *longer* side must be `longest`"
)
q8_wide = np.zeros((30, 60, 3), np.uint8)
q8_wide[:, 30:] = 255
assert max(shrink(q8_wide, 20).shape) == 20, "shrink: the *longer* side must be `longest`"
assert shrink(q8_wide, 20).shape == (10, 20, 3), "shrink: height and width are swapped in `resize`"
### BEGIN HIDDEN TESTS
assert shrink(np.transpose(q8_wide, (1, 0, 2)), 20).shape == (20, 10, 3), (
    "shrink: upright pictures too"
)
assert shrink(q8_wide, 20)[5, 2].max() < 50 < 200 < shrink(q8_wide, 20)[5, 17].min(), (
    "shrink: left must stay left"
)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 9: an experiment (4 points, graded by hand)
# Vary **one** factor (a weight, the learning rate, the number of iterations, or the initial image) at three levels, and
# keep everything else constant. Show the three pictures or curves in **one** figure with a caption (`figure.text`, or a
# Markdown cell below) that states what you changed, what you kept constant, and what the figure shows.
#
# You can start with `q7_content`, `q7_target` and `q7_painting` from the checks of question 7, Adam with learning rate
# 2, `alpha = 1e-3`, `beta = 1` and 40 iterations. Levels of a weight should differ by a factor of ten or more, as in
# `beta` = 0.001, 0.01 and 0.1. These small pictures are random pixels and show little: plot curves. (If you have `nst_tf`,
# you may use `nst_tf.style_transfer` and VGG.)
#
# Points: one factor at three levels 1, everything else constant and stated 1, a figure that can be read without the
# code 1, a statement that the figure supports 1.

# %% nbgrader={"grade": true, "grade_id": "q9", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# One factor, three levels, one figure, a caption.
### BEGIN SOLUTION
figure, axis = plt.subplots(figsize=(6, 3))
for rate in (0.1, 1.0, 10.0):
    moving = tf.Variable(q7_content)
    advance = make_step(moving, q7_target, q7_painting, tf.keras.optimizers.Adam(rate))
    axis.semilogy([float(advance(1e-3, 1.0)["total"]) for _ in range(40)], label=f"rate {rate}")
axis.set(xlabel="iteration", ylabel="total loss")
axis.legend()
figure.text(
    0, -0.1, "Adam at three rates, 40 iterations, same start and weights: 10 is fastest at first."
)
plt.show()
### END SOLUTION

# %% [markdown]
# ## Question 10: short answers (3 points, graded by hand)
# Answer in two or three sentences each. (a) Why does a Gram matrix measure style and not content? (b) Why does the
# content loss *increase* in a run that starts from the content image (as in the checks of question 7), and is that an
# error? (c) Two correct programs use the same pictures and weights, but print slightly different losses. Give
# two possible reasons.

# %% [markdown] nbgrader={"grade": true, "grade_id": "q10", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# (a) It sums over positions, which removes where something is; what remains is which filters fire together.
# (b) At the start, it is 0, its minimum. A step that reduces the style loss changes the content features. It is not an
# error: the total decreases.
# (c) A different order of sums (threads, GPU), or a different convolution kernel (library, version, fused operations).
# ### END SOLUTION
