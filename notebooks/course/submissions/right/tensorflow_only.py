"""No NumPy at all."""


# %% q1
def preprocess(picture):
    return tf.cast(picture, tf.float32)[tf.newaxis] - MEAN


def deprocess(image):
    return tf.cast(tf.round(tf.clip_by_value(image[0] + MEAN, 0, 255)), tf.uint8)


# %% q2
def content_loss(F, P):
    return tf.nn.l2_loss(F - P)


def content_gradient(F, P):
    return tf.cast(F > 0, F.dtype) * (F - P)


# %% q3
def gram_matrix(maps):
    return tf.stack([tf.tensordot(each, each, [[0, 1], [0, 1]]) for each in tf.unstack(maps)])


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
def shrink(picture, longest):
    height, width = picture.shape[:2]
    factor = longest / max(height, width)
    size = [round(height * factor), round(width * factor)]
    return tf.cast(tf.round(tf.image.resize(picture, size)), tf.uint8).numpy()
