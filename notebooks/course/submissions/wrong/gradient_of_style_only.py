"""The total is right and reported, but the gradient is the style's alone.

Loses: q7
Told: Is the gradient that of the weighted total?
"""


# %% q7
def make_step(image, content_target, painting, optimizer):
    def step(alpha, beta):
        with tf.GradientTape() as tape:
            maps = features(image)
            content = content_loss(maps["conv2"], content_target)
            style = style_cost(maps, painting, {"conv1": 0.5, "conv3": 0.5})
        optimizer.apply_gradients([(tape.gradient(style, image), image)])
        image.assign(tf.clip_by_value(image, LOW, HIGH))
        return {"content": content, "style": style, "total": alpha * content + beta * style}

    return step
