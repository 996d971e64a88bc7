"""Content is compared with the start, not with the target.

Loses: q7
Told: against the target that was given, wherever the image starts
"""


# %% q7
def make_step(image, content_target, painting, optimizer):
    target = features(image)["conv2"]

    def step(alpha, beta):
        with tf.GradientTape() as tape:
            maps = features(image)
            content = content_loss(maps["conv2"], target)
            style = style_cost(maps, painting, {"conv1": 0.5, "conv3": 0.5})
            total = alpha * content + beta * style
        optimizer.apply_gradients([(tape.gradient(total, image), image)])
        image.assign(tf.clip_by_value(image, LOW, HIGH))
        return {"content": content, "style": style, "total": total}

    return step
