"""Small functions passed about, nothing assigned twice."""


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
    def statistics(maps):
        return gram_matrix(maps) / tf.cast(tf.reduce_prod(maps.shape[1:3]), tf.float32)

    return tf.reduce_mean(tf.square(statistics(current) - statistics(painting))) / 4


# %% q5
from functools import reduce


def style_cost(current, painting, weights):
    def add(total, name):
        return total + weights[name] * layer_style_loss(current[name], painting[name])

    return reduce(add, weights, 0.0)


# %% q6
def tv_loss(image):
    def energy(axis):
        length = image.shape[axis]
        ends = tf.gather(image, tf.range(1, length), axis=axis)
        return tf.reduce_sum(tf.square(ends - tf.gather(image, tf.range(length - 1), axis=axis)))

    return energy(1) + energy(2)


# %% q7
def make_step(image, content_target, painting, optimizer):
    def step(alpha, beta):
        with tf.GradientTape() as tape:
            maps = features(image)
            content = content_loss(maps["conv2"], content_target)
            style = style_cost(maps, painting, {"conv1": 0.5, "conv3": 0.5})
            total = alpha * content + beta * style
        optimizer.apply_gradients([(tape.gradient(total, image), image)])
        image.assign(tf.clip_by_value(image, LOW, HIGH))
        return {"content": content, "style": style, "total": total}

    return step


# %% q8
from PIL import Image


def shrink(picture, longest):
    small = Image.fromarray(picture)
    factor = longest / max(small.size)
    return np.array(small.resize([round(side * factor) for side in small.size]))
