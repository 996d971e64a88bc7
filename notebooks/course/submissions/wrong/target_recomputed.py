"""Uses the current picture as its own target in each step.

Loses: q7
Told: not with the current picture
"""


# %% q7
def make_step(image, content_target, painting, optimizer):
    def step(alpha, beta):
        with tf.GradientTape() as tape:
            maps = features(image)
            content = content_loss(maps["conv2"], features(tf.constant(image))["conv2"])
            style = style_cost(maps, painting, {"conv1": 0.5, "conv3": 0.5})
            total = alpha * content + beta * style
        optimizer.apply_gradients([(tape.gradient(total, image), image)])
        image.assign(tf.clip_by_value(image, LOW, HIGH))
        return {"content": content, "style": style, "total": total}

    return step
