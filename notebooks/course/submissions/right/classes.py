"""A class for the step, with the image clipped by its own constraint."""


# %% q1
def preprocess(picture):
    return (picture.astype(np.float32) - MEAN)[np.newaxis]


def deprocess(image):
    return np.rint(np.clip(np.array(image)[0] + MEAN, 0, 255)).astype(np.uint8)


# %% q2
def content_loss(F, P):
    return 0.5 * tf.reduce_sum((F - P) ** 2)


def content_gradient(F, P):
    return tf.where(F > 0, F - P, 0.0)


# %% q3
def gram_matrix(maps):
    return tf.einsum("bhwi,bhwj->bij", maps, maps)


# %% q4
def layer_style_loss(current, painting):
    G, A = (gram_matrix(x) / (x.shape[1] * x.shape[2]) for x in (current, painting))
    return tf.reduce_sum((G - A) ** 2) / (4 * current.shape[3] ** 2)


# %% q5
def style_cost(current, painting, weights):
    return sum(w * layer_style_loss(current[name], painting[name]) for name, w in weights.items())


# %% q6
def tv_loss(image):
    down, right = image[:, 1:] - image[:, :-1], image[:, :, 1:] - image[:, :, :-1]
    return tf.reduce_sum(down**2) + tf.reduce_sum(right**2)


# %% q7
class Step:
    def __init__(self, image, content_target, painting, optimizer):
        self.image, self.target = image, content_target
        self.painting, self.optimizer = painting, optimizer

    def losses(self, alpha, beta):
        maps = features(self.image)
        content = content_loss(maps["conv2"], self.target)
        style = style_cost(maps, self.painting, dict.fromkeys(["conv1", "conv3"], 0.5))
        return {"content": content, "style": style, "total": alpha * content + beta * style}

    def __call__(self, alpha, beta):
        with tf.GradientTape() as tape:
            losses = self.losses(alpha, beta)
        self.optimizer.apply([tape.gradient(losses["total"], self.image)], [self.image])
        self.image.assign(tf.maximum(LOW, tf.minimum(HIGH, self.image)))
        return losses


def make_step(image, content_target, painting, optimizer):
    return Step(image, content_target, painting, optimizer)


# %% q8
from PIL import Image


def shrink(picture, longest):
    small = Image.fromarray(picture)
    factor = longest / max(small.size)
    return np.array(small.resize([round(side * factor) for side in small.size]))
