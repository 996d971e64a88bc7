"""Clipped to 0..255, although the mean is subtracted from the image.

Loses: q7
Told: must be clipped to LOW
"""


# %% q7
def make_step(image, content_target, painting, optimizer):
    def step(alpha, beta):
        with tf.GradientTape() as tape:
            maps = features(image)
            content = content_loss(maps["conv2"], content_target)
            style = style_cost(maps, painting, {"conv1": 0.5, "conv3": 0.5})
            total = alpha * content + beta * style
        optimizer.apply_gradients([(tape.gradient(total, image), image)])
        image.assign(tf.clip_by_value(image, 0, 255))
        return {"content": content, "style": style, "total": total}

    return step
