"""Right, and noisy: warns of what is old, and is traced anew for each weight."""


# %% q1
def preprocess(picture):
    return (picture.astype(np.float32) - MEAN)[np.newaxis]


def deprocess(image):
    warnings.warn("a student's library is old", stacklevel=1)
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
def make_step(image, content_target, painting, optimizer):
    optimizer.build([image])

    @tf.function  # traced anew for each pair of numbers: TensorFlow warns, the losses are right
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
