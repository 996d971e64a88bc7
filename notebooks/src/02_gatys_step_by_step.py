# %% [markdown]
# # The method of Gatys, step by step
#
# Tutorial 0 ("A Neural Algorithm of Artistic Style") builds the method of Gatys, Ecker and Bethge
# (2015) from arrays. This notebook does the same, in TensorFlow 2, with a check after each step.
#
# **Goals.** Afterwards you can
#
# 1. prepare a picture for VGG and bring it back;
# 2. write the content loss and the style loss, and derive their gradients;
# 3. write the loop that changes the pixels, and say what happens in one step of it.
#
# **Contents**
#
# 1. Set up
# 2. Pictures in and out
# 3. Where to start: noise
# 4. The network
# 5. The content loss
# 6. The style loss
# 7. One step in slow motion
# 8. The loop
# 9. Summary, exercises, references
#
# **You need** Python, NumPy, and what a convolution is. No network connection.
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

# Some GPUs round what they multiply to 10 bits, unless told not to; the checks below would fail.
tf.config.experimental.enable_tensor_float_32_execution(False)
lesson = nst.lesson_mode(mode, minutes={"quick": 0.3, "default": 1.5, "full": 7})

# %% [markdown]
# The numbers of tutorial 0. Pictures there are 640x480; ours are smaller, so that you wait less.

# %%
ALPHA, BETA = 0.0025, 1.0
MEAN_VALUES = np.float32([123.68, 116.779, 103.939])  # red, green, blue
CONTENT_LAYER = "conv4_2"
STYLE_LAYERS = {f"conv{block}_1": 0.5 for block in range(1, 6)}
LEARNING_RATE = 2.0
height, width = lesson.size

# %% [markdown]
# ## 2. Pictures in and out
# VGG was trained on pictures less the mean colour of its training set. Fed otherwise, it sees
# something far brighter than any picture it knows. So every picture is prepared:
#
# $$x = p - \text{mean}, \qquad p = \text{round}(\text{clip}(x + \text{mean}, 0, 255))$$
#
# *Predict:* the pixel (124, 117, 104) is grey. What will it be in $x$?


# %%
def to_image(picture):
    """Return a picture (H, W, 3) uint8 as VGG takes it: (1, H, W, 3) float32."""
    return (picture.astype(np.float32) - MEAN_VALUES)[np.newaxis]


to_image(np.uint8([[[124, 117, 104]]]))


# %%
def recover(image):
    """Return an image (1, H, W, 3) as a picture (H, W, 3) uint8: the way back."""
    return np.rint(np.clip(image[0] + MEAN_VALUES, 0, 255)).astype(np.uint8)


recover(np.float32([[[[0.4, -500, 500]]]]))

# %% [markdown]
# > **Pitfall: truncation.** `astype(np.uint8)` alone cuts off: 254.9 becomes 254, and the whole
# > picture gets darker by half a step. Tutorial 0 does that. `np.rint` rounds.

# %%
picture = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
assert (recover(to_image(picture)) == picture).all(), "there and back again must change nothing"
assert picture.max() > 200, "the input must not be changed"
far = recover(np.float32([[[[0.4, -500, 500]]]]))
assert far.ravel().tolist() == [124, 0, 255], "what is beyond black and white is clipped"
print("there and back: the same picture")

# %% [markdown]
# `nst.load_image` does the same from a file, at the size that one wants. It returns the picture and
# the image. (`crop` cuts off what is too much at the sides; tutorial 0 stretches.)

# %%
size = (height, width)
content, content_image = nst.load_image("images/content/chelsea.jpg", size=size, crop=True)
style, style_image = nst.load_image("images/style/night_strokes.jpg", size=size, crop=True)
assert np.array_equal(content_image, to_image(content)), "ours and the package's must agree"
print(content.shape, content.dtype, content_image.shape, content_image.dtype)

# %% tags=["figure"]
drawn = np.uint8(255 * np.clip([content_image[0], style_image[0]], 0, 1))  # as plt.imshow does
show(
    nst.show_images(content, drawn[0], style, drawn[1], titles=["p", "x, drawn"] * 2, height=2.2),
    "A cat and a moonlit lake, each as a picture and with the mean subtracted. Drawn as they are, the "
    "subtracted ones look funny: what is below the mean is black, what is above at full strength.",
)

# %% [markdown]
# ## 3. Where to start: noise
# Any image will do as a start; one near the content saves time. The tutorial mixes content and
# noise by a **noise ratio** $r$:
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
assert np.allclose(starts[3].std(), theirs.std(), rtol=0.01), "as noisy as the package's"

# %% tags=["figure"]
figure = nst.show_images(
    *[recover(start) for start in starts], titles=[f"r = {ratio}" for ratio in ratios], height=1.8
)
show(figure, "The cat at five noise ratios: it fades to grey with grain, and is gone at 1.")

# %% [markdown]
# Tutorial 0 remarks that the picture "sometimes looks sharper" with some noise. Perhaps. Let us
# *measure* sharpness, as the variance of the Laplacian (a pixel against its four neighbours).
#
# *Predict:* at which ratio is it largest?


# %%
def sharpness(picture):
    """Return the variance of the Laplacian of the grey picture."""
    grey = picture.astype(np.float32).mean(axis=2)
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float(np.var(around - 4 * grey[1:-1, 1:-1]))


sharp = [sharpness(recover(start)) for start in starts]
print({f"r = {ratio}": round(value) for ratio, value in zip(ratios, sharp)})
assert sharp[1] < sharp[0], "a little noise: the cat fades, and its edges with it"
assert sharp[4] > sharp[2], "much noise: nothing but grain"

# %% [markdown]
# The number falls as the cat fades, and grows again with the grain, also where no cat is left: a
# Laplacian can't tell an edge from grain. The eye can, up to a point: what the tutorial calls
# sharper is grain laid over edges that are still there.
#
# > **Pitfall: noise that nobody sees.** The tutorial's own generator draws from a normal
# > distribution with standard deviation 1, on a scale of 0..255. One has to stretch the picture to
# > see it. The course version (tutorial 3) takes uniform noise of amplitude 20, as we do.

# %% [markdown]
# ## 4. The network
# `load_vgg_model` reads the convolutions and puts **average pooling** in the place of max pooling,
# as the paper suggests; what classifies (the fully connected layers) is left out. A trunk is a
# dictionary: from a layer's name to the layer.

# %%
model = nst.load_vgg_model()
print(model.name)
print(*model)

# %% [markdown]
# Where VGG-19's file lies in `model/`, the line above names it. Otherwise it is the *embedded*
# network: VGG-16, the smaller sister of the paper's VGG-19, trained on ImageNet as well. It has
# all the layers that the paper names.

# %%
before = {name: np.array(model[name].kernel).sum() for name in ["conv1_1", "conv5_1"]}
layers = [CONTENT_LAYER, *STYLE_LAYERS]
features = nst.extract_features(model, content_image, layers)
for layer, feature_map in features.items():
    print(f"{layer}: (1, H, W, N) = {tuple(feature_map.shape)}")

# %% [markdown]
# A feature map has $N$ channels at $M = H \cdot W$ positions. Flattened it is a matrix
# $F \in \mathbb{R}^{M \times N}$: one row a *position*, one column a *filter*.
#
# > **Slip in the tutorial.** It says $F \in \mathbb{R}^{M \times N}$ and also that "each row is a
# > filter". Both can't be. We keep $M \times N$; then the Gram matrix below is $F^T F$.


# %%
def flat(feature_map):
    """Return (1, H, W, N) as F, (M, N)."""
    return tf.reshape(feature_map, (-1, feature_map.shape[3]))


F = flat(features["conv4_2"])
assert F.shape[0] == features["conv4_2"].shape[1] * features["conv4_2"].shape[2]
print(F.shape)

# %% tags=["figure"]
figure = nst.show_feature_maps(model, content_image, "conv2_1", count=8)
show(figure, "Eight strong channels of conv2_1 on the cat: each lights up where its pattern is.")

# %% [markdown]
# ## 5. The content loss
# How far is the current picture's feature map $F$ from the content's, $P$? Equation (1):
#
# $$L_c = \frac{1}{2} \sum_{i,j} (F_{ij} - P_{ij})^2$$


# %%
def content_loss(F, P):
    return 0.5 * tf.reduce_sum((F - P) ** 2)


content_loss(tf.constant([[1.0, 2], [3, 4]]), tf.constant([[1.0, 0], [3, 1]]))

# %%
P = flat(features[CONTENT_LAYER])
assert content_loss(P, P) == 0, "a picture is no way from itself"
assert content_loss(tf.ones((2, 3)), tf.zeros((2, 3))) == 3, "six ones, squared, halved"
maps = features[CONTENT_LAYER]
np.testing.assert_allclose(content_loss(2 * P, P), nst.content_loss(2 * maps, maps), rtol=1e-4)
print("ours and nst.content_loss agree")

# %% [markdown]
# Its **gradient**, equation (2), where $F$ comes out of a ReLU:
#
# $$\frac{\partial L_c}{\partial F_{ij}} = \begin{cases} F_{ij} - P_{ij} & F_{ij} > 0 \\ 0 & F_{ij}
# \le 0 \end{cases}$$
#
# The 1/2 is there to cancel the 2. The second line is the ReLU's doing: where it cut off, a small
# change of its input changes nothing.


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
print("equation (2) is what the tape finds")

# %% [markdown]
# ## 6. The style loss
# The **Gram matrix** says how strongly two filters fire together, summed over all places:
#
# $$G_{ij} = \sum_k F_{ki} F_{kj}$$
#
# Written out as a loop, as a product of matrices, and in Einstein's notation:


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
assert G.shape == (F.shape[1], F.shape[1]), "N by N: one row and one column a filter"
np.testing.assert_allclose(G, G.T, err_msg="G must be symmetric")
shuffled = tf.gather(F, np.random.default_rng(0).permutation(F.shape[0]))
np.testing.assert_allclose(gram_matrix(shuffled), G, rtol=1e-3, atol=1e-3 * G.max())
print("shuffled positions, same Gram matrix: where things are is forgotten")

# %% [markdown]
# With $A$ the Gram matrix of the painting, a layer contributes (equation 4)
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
# `nst.gram_matrix(..., per_position=True)` is $G/M$. Each picture is divided by its own $M$, so
# content and painting may have different sizes; for equal sizes it is equation (4). CS231n divides
# $G$ by $M N$ and has no 1/4: its loss is four times ours.
#
# The gradient, equation (6), again where $F > 0$. By the chain rule: $E$ changes with $G$ by
# $\frac{2 (G - A)}{4 N^2 M^2}$, and $G = F^T F$ holds each $F$ twice, once on either side. As $G - A$ is
# symmetric, both give the same, $2 F (G - A)$ together, and twice 2 cancels the 4:
#
# $$\frac{\partial E_\ell}{\partial F_{ij}} = \frac{1}{N^2 M^2} \left( F \, (G - A) \right)_{ij}$$


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
print("equation (6) is what the tape finds")

# %% [markdown]
# All layers together, equation (5): $L_s = \sum_\ell w_\ell E_\ell$. The author's script takes 0.5
# for each of the five layers. They add up to 2.5, not to 1: the paper's weights would be 0.2.


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
# Equation (7) puts both together: $L = \alpha L_c + \beta L_s$.


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
assert gradient.shape == image.shape, "one number for each number of the picture"
assert np.isfinite(gradient).all()
print(f"total {float(total):.4g}; the gradient's largest entry: {np.abs(gradient).max():.3g}")

# %% [markdown]
# *Predict:* from the content, where will the gradient be large: in the even background, in the fur, or
# at the rims of the eyes?


# %%
def strength(gradient):
    """Return a picture of |gradient|, brighter where it is larger; white is its 99th percentile."""
    each = np.abs(gradient).sum(axis=3)[0]
    grey = np.uint8(255 * np.minimum(each / np.quantile(each, 0.99), 1))
    return np.repeat(grey[..., np.newaxis], 3, axis=2)


# %% tags=["figure"]
change = -LEARNING_RATE * np.sign(gradient)  # what Adam's first step is, nearly
figure = nst.show_images(
    content,
    strength(gradient),
    recover(content_image + 10 * change),
    titles=["image", "|gradient|", "image + 10 updates' worth"],
    height=2.4,
)
show(
    figure,
    "The cat; where the loss feels each pixel, brighter is stronger; and the cat pushed "
    "ten steps against the sign of the gradient, which shifts colours, patch by patch.",
)

# %% [markdown]
# ## 8. The loop
# The step is made by a **factory**, a function that returns a function.
#
# > **Pitfall: the stale `tf.function`.** TensorFlow traces a function once and keeps what it saw.
# > If `update` read `ALPHA` from the notebook, a later `ALPHA = 1` would change nothing, silently.
# > `make_update` is called anew for each run, so each run gets its own trace.


# %%
def make_update(image, losses, optimizer):
    """Return a function that changes the image once and returns the losses before that."""
    optimizer.build([image])  # a tf.function can't create the optimiser's variables itself

    @tf.function
    def update():
        with tf.GradientTape() as tape:
            found = losses(image)
        optimizer.apply_gradients([(tape.gradient(found["total"], image), image)])
        return found

    return update


# %%
def run(start, losses, iterations, every):
    """Return the last picture, those on the way, and the losses of each iteration."""
    image = tf.Variable(start)
    update = make_update(image, losses, tf.keras.optimizers.Adam(LEARNING_RATE))
    history, strip = [], []
    for iteration in range(iterations):
        if iteration % every == 0:
            strip.append(recover(image.numpy()))
        history.append({name: float(loss) for name, loss in update().items()})
    return recover(image.numpy()), strip, history


# %%
every = lesson.iterations // 4
result, strip, history = run(content_image, losses, lesson.iterations, every)
print(f"total loss: {history[0]['total']:.4g} at first, {history[-1]['total']:.4g} at the end")

# %%
assert history[-1]["total"] < 0.7 * history[0]["total"], "the loss should have fallen by 30 %"
assert history[-1]["style"] < history[0]["style"], "style is what was far away"
assert history[0]["content"] == 0 < history[-1]["content"], "content pays for it"
after = {name: np.array(model[name].kernel).sum() for name in before}
assert after == before, "the network must not change: only the picture does"
print("the picture changed, the network did not")

# %% tags=["figure"]
titles = [f"{number * every}" for number in range(len(strip))] + [f"{lesson.iterations}"]
show(
    nst.show_images(*strip, result, titles=titles, height=1.8),
    f"The cat on its way, after so many iterations at {width}x{height}: colours shift first, "
    "then fine strokes come.",
)

# %% tags=["figure"]
show(
    nst.plot_losses(history),
    "The losses over the iterations, logarithmic: style and total fall, at first as one line; content rises "
    "from zero, is highest after about a third of the run, and then keeps the total above the style.",
)

# %% [markdown]
# Section 7's gradient again, of the pictures on the way.
#
# *Predict:* the loss falls all the way. Does the gradient shrink to nothing?


# %%
def gradient_of(picture):
    """Return the gradient of the total loss by a picture's pixels."""
    image = tf.constant(to_image(picture))
    with tf.GradientTape() as tape:
        tape.watch(image)
        total = losses(image)["total"]
    return tape.gradient(total, image).numpy()


stages = {"0": content, f"{every}": strip[1], f"{lesson.iterations}": result}
gradients = {name: gradient_of(picture) for name, picture in stages.items()}
sizes = {name: float(np.abs(each).mean()) for name, each in gradients.items()}
print({name: f"{value:.3g}" for name, value in sizes.items()})
np.testing.assert_allclose(gradients["0"], gradient, rtol=1e-3, atol=1e-3 * np.abs(gradient).max())
assert sizes[f"{lesson.iterations}"] > 0.1 * sizes["0"], "more than a tenth of the slope is left"

# %% tags=["figure"]
show(
    nst.show_images(
        *map(strength, gradients.values()),
        titles=[f"|gradient| at {name}" for name in gradients],
        height=2.2,
    ),
    "How strongly the loss pulls at each pixel, at the start, on the way, and at the end; each is as "
    "bright as its own largest values, so compare where, not how much: the numbers above say that.",
)

# %% [markdown]
# A falling loss need not have a shrinking gradient: on its way down the picture may come to steeper
# ground, and at the end more than a tenth of the slope is left. Adam does not mind, it divides each step
# by the gradient's own size.

# %% [markdown]
# **A step that can be told its weights.** To turn a weight *during* a run it must be an argument of what
# is traced, and a tensor: each new Python number would be traced anew. This step also keeps the pixels
# between black and white, by a clip after each update.

# %%
LOW, HIGH = -MEAN_VALUES, 255 - MEAN_VALUES


def make_weighted_update(image, losses, optimizer):
    """Return update(alpha, beta), which changes the image once and returns the total before that."""
    optimizer.build([image])

    @tf.function
    def traced(alpha, beta):
        with tf.GradientTape() as tape:
            found = losses(image)
            total = alpha * found["content"] + beta * found["style"]
        optimizer.apply_gradients([(tape.gradient(total, image), image)])
        image.assign(tf.clip_by_value(image, LOW, HIGH))
        return total

    return lambda alpha, beta: traced(tf.constant(alpha), tf.constant(beta))


# %%
noisy = tf.Variable(starts[1])
update = make_weighted_update(noisy, losses, tf.keras.optimizers.Adam(300.0))  # far too fast
expected = losses(tf.constant(starts[1]))
np.testing.assert_allclose(update(1.0, 0.0), expected["content"], rtol=1e-3)
assert noisy.numpy().min() >= LOW.min() - 1e-3, "nothing darker than black"
assert noisy.numpy().max() <= HIGH.max() + 1e-3, "nothing brighter than white"
expected = losses(tf.identity(noisy))
np.testing.assert_allclose(update(0.0, 1.0), expected["style"], rtol=1e-3, err_msg="old weights?")

# %% [markdown]
# Tutorial 0 saves a picture at 0, 50, ... 450 and forgets the last one, iteration 500. Above, the
# end is always returned.
#
# The same by the package, which shows the picture as it grows:

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
print("our loop and nst.style_transfer go the same way")

# %% tags=["figure"]
show(
    nst.show_images(content, style, result, titles=["content", "style", "result"], height=2.6),
    f"Content, style and result: {lesson.iterations} iterations of Adam by {LEARNING_RATE}, "
    f"{width}x{height}, float32, start from the content, {model.name}.",
)

# %% [markdown]
# ## 9. Summary
# - A picture goes into VGG with the mean subtracted; it comes back rounded and clipped.
# - Content is a feature map, compared position by position. Style is its Gram matrix, which forgets
#   positions.
# - The gradients of both are one line each, and agree with the tape's.
# - Only the picture changes. The step is made by a factory, so that no trace is stale.
#
# ### Exercises
# 1. **Tweak.** Run again with `ALPHA = 0.25`. Before that: will the final content loss be higher or
#    lower? Which line must you re-run, and why is the loop's cell enough?
# 2. **Twiddle.** Start from `generate_noise_image(content_image, 0.6)`. How does the curve of the
#    content loss differ from the one above, and why?
# 3. **Frob.** Put max pooling in (`nst.load_vgg_model(pooling="max")`). Which cells have to run
#    again? Compare the two results and say what you would call "better".
# 4. **Frob.** Match only the *diagonal* of the Gram matrices: how often each filter fires, not which
#    fire together. Compare the result with the one above. What do the other entries add?
#
# ### References
# - L. A. Gatys, A. S. Ecker, M. Bethge: *A Neural Algorithm of Artistic Style*, 2015,
#   [arXiv:1508.06576](https://arxiv.org/abs/1508.06576): equations (1) to (7).
# - K. Simonyan, A. Zisserman: *Very Deep Convolutional Networks for Large-Scale Image Recognition*,
#   2015, [arXiv:1409.1556](https://arxiv.org/abs/1409.1556).
# - D. P. Kingma, J. Ba: *Adam: A Method for Stochastic Optimization*, 2015,
#   [arXiv:1412.6980](https://arxiv.org/abs/1412.6980).
# - Pictures and their licences: `images/CREDITS.md`.
