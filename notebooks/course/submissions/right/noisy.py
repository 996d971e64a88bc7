"""Correct but noisy: emits deprecation warnings, and is traced again for each weight."""


# %% q1
def preprocess(picture):
    return (picture.astype(np.float32) - MEAN)[np.newaxis]


def deprocess(image):
    warnings.warn("a student's library is old", stacklevel=1)
    return np.rint(np.clip(np.array(image)[0] + MEAN, 0, 255)).astype(np.uint8)


# %% q7
def make_step(image, content_target, painting, optimizer):
    optimizer.build([image])

    @tf.function  # traced again for each pair of numbers: TensorFlow warns, the losses are correct
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
