# %% [markdown]
# # Quickstart: a photograph in the strokes of a painting
#
# In this lesson, you paint a first picture in a few minutes.
#
# **Goals.** After this lesson, you can make a picture, change the most important parameters, and choose the lesson that
# explains them.
#
# **Contents**
#
# 1. Set up
# 2. A first picture
# 3. The parameters that matter
# 4. Your own pictures
# 5. Next steps
#
# **You need** the packages in `requirements.txt`, but no network connection.
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
import nst_tf as nst

lesson = nst.lesson_mode(mode, minutes={"quick": 0.6, "default": 3, "full": 14})

# %% [markdown]
# ## 2. A first picture
# Style transfer takes three inputs: a *content* picture (what to show), a *style* picture (how to paint it), and a
# *network* that was trained to recognize objects. The network here uses max pooling, as in its training; lesson 2
# compares max with average pooling. `load_image` returns a picture twice: as pixels, to show it, and as input for the
# network. (With `crop`, it cuts the picture to the given shape; without it, it stretches the picture.)

# %%
model = nst.load_vgg_model(pooling="max")
print(model.name)

# %%
content, content_image = nst.load_image("images/content/coffee.jpg", size=lesson.size, crop=True)
style, style_image = nst.load_image("images/style/stained_glass.jpg", size=lesson.size[0])
assert content_image.shape == (1, *lesson.size, 3), "one image, height, width, three channels"
assert content.min() >= 0
assert content.max() <= 255

# %% tags=["figure"]
show(
    nst.show_images(content, style, titles=["content", "style"], height=2.4),
    "The content, a cup of coffee on a wooden table, and the style, stained glass.",
)

# %% [markdown]
# In the next cell, each loss is a number that measures how far the result is from a target. With `unit="relative"`, it
# is a fraction of the size of its target, so that the weights work at any picture size. The method `moments` matches
# the mean of the network's features and their covariance, which measures how they vary together.
#
# *Predict:* will the cup keep its own colors or take those of the glass?

# %%
parameters = {
    "unit": "relative",  # losses relative to their targets: comparable weights at any size
    "alpha": 1.0,  # weight of the content
    "beta": 12.0,  # weight of the style
    "tv_weight": 8.0,  # weight of smoothness
    "schedule": "fast",  # from coarse to fine
    "method": "moments",  # which statistics of the style are matched: docs/choosing.md
    "iterations": lesson.iterations,
}

# %% tags=["figure"]
first = nst.style_transfer(
    content_image,
    style_image,
    model,
    **parameters,
    callbacks=[nst.live(caption="A cup in stained glass")],
)

# %%
assert first.picture.shape == content.shape
losses = first.history
assert losses[-1]["total"] < losses[0]["total"], "the loss falls"
print(f"{first.iterations} iterations in {first.seconds:.0f} s")

# %% tags=["figure"]
show(
    nst.show_images(
        content, style, first.picture, titles=["content", "style", "result"], height=2.4
    ),
    "Content, style and result: the cup in panes of colored glass between lead lines. "
    f"{lesson.iterations} iterations, {model.name}.",
)

# %% [markdown]
# Move the slider with the mouse or the arrow keys. (If there is no slider, run the cell, or mark the notebook as
# trusted in Jupyter.)

# %% tags=["figure"]
nst.compare(
    content,
    first.picture,
    labels=("photograph", "in stained glass"),
    caption="The rims of cup and saucer stay in place; the wood has become panes of glass.",
)

# %% [markdown]
# The result takes the colors of the painting. Lesson 5 shows how to keep those of the photograph. (The schedule `fast`
# paints larger pictures at a small size first. Where it continues at twice the size, the loss curve jumps, because the
# enlarged picture has no fine lines yet.)
#
# ## 3. The parameters that matter
# `beta` is the weight of the style.
#
# *Predict:* with `beta` 0.5 instead of 12, which disappears first: the colors of the glass or its lead lines?


# %%
def painted(**changes):
    """Return the picture of a run with some parameters changed."""
    return nst.style_transfer(
        content_image, style_image, model, **{**parameters, **changes}
    ).picture


betas = [0.5, 12.0, 50.0]
by_beta = [painted(beta=0.5), first.picture, painted(beta=50.0)]


# %%
def distance(picture):
    """Return the mean absolute difference of a picture from the content, in gray levels."""
    return abs(picture.astype(float) - content).mean()


distances = [distance(picture) for picture in by_beta]
assert distances == sorted(distances), "more style is farther from the photograph"
print([f"{value:.1f}" for value in distances])

# %% tags=["figure"]
show(
    nst.show_images(*by_beta, titles=[f"beta {beta:g}" for beta in betas], height=2.2),
    "The cup with three weights of style. With 0.5 it is slightly tinted, without lead lines; "
    "with 12 it is glass; with 50 it looks nearly the same.",
)

# %% [markdown]
# The initial image matters, too. It can be the photograph (`noise_ratio` 0) or noise (`noise_ratio` 1).

# %%
start = nst.generate_noise_image(content_image, noise_ratio=1.0, noise="gaussian", amplitude=50)
noisy = nst.style_transfer(content_image, style_image, model, init_image=start, **parameters)
assert noisy.picture.std() > 10, "the picture is not plain gray"

# %% tags=["figure"]
show(
    nst.show_images(
        first.picture, noisy.picture, titles=["from the photograph", "from noise"], height=2.4
    ),
    "The same run from two initial images. From noise the saucer and the spoon return, but "
    "yellow and orange panes cover the cup.",
)

# %% [markdown]
# ## 4. Your own pictures
# Copy files to `images/` and pass their paths to `nst.load_image`. For large pictures, use the command line, which
# prints the estimated time before it starts:
#
# `python -m nst_tf.run photo.jpg painting.jpg`

# %%
nst.save_image("output/quickstart.png", first.picture)
assert nst.read_picture("output/quickstart.png").shape == content.shape

# %% [markdown]
# `nst.contact_sheet` shows several pictures in one figure. (It also accepts file names, or a directory of pictures that
# `nst.save_every` has saved.)

# %% tags=["figure"]
pictures = {
    "photograph": content,
    "stained glass": first.picture,
    "beta 0.5": by_beta[0],
    "beta 50": by_beta[2],
    "from noise": noisy.picture,
}
sheet = nst.contact_sheet(list(pictures.values()), list(pictures), columns=3)
nst.save_image("output/quickstart_sheet.png", sheet)
show(sheet, "The photograph and the four pictures of this lesson, each with its label below.")

# %% [markdown]
# ## 5. Next steps
# | lesson | question |
# | --- | --- |
# | `01_reading_the_paper` | What do content and style mean to a network? |
# | `02_gatys_step_by_step` | How is the method computed, from arrays up? |
# | `03_losses_inversion_texture` | How do loss conventions differ? What do inversion and texture synthesis show? |
# | `04_art_generation` | How is a TensorFlow 1 course program translated to TensorFlow 2? |
# | `05_improving_and_masking` | What improves the result? How do masks and colors work? |
# | `06_what_came_after` | Which methods came after Gram matrices? |
#
# ### Exercises
# The labels are programmers' slang: *tweak* is a small change, *twiddle* a larger one, and *frob* an open-ended
# experiment.
#
# 1. **Tweak.** Swap content and style. What remains of the glass?
# 2. **Twiddle.** Set `tv_weight` to 0 and to 100. Where does the picture change most?
# 3. **Frob.** Load `images/style/waves.jpg` as `other_image` and paint with two styles: pass
#    `[nst.Style(style_image, 0.5), nst.Style(other_image, 0.5)]` instead of `style_image`. Is the result
#    between the two?
#
# ### References
# - L. A. Gatys, A. S. Ecker, M. Bethge: *A Neural Algorithm of Artistic Style*, 2015,
#   [arXiv:1508.06576](https://arxiv.org/abs/1508.06576).
# - Pictures and their licenses: `images/CREDITS.md`.
