"""The weights of the first call are traced into the function.

Loses: q7
Told: Is a traced function keeping old ones?
"""


# %% q7
def make_step(image, content_target, painting, optimizer):
    optimizer.build([image])
    weights = {}

    @tf.function
    def traced():
        alpha, beta = weights["alpha"], weights["beta"]
        with tf.GradientTape() as tape:
            maps = features(image)
            content = content_loss(maps["conv2"], content_target)
            style = style_cost(maps, painting, {"conv1": 0.5, "conv3": 0.5})
            total = alpha * content + beta * style
        optimizer.apply_gradients([(tape.gradient(total, image), image)])
        image.assign(tf.clip_by_value(image, LOW, HIGH))
        return {"content": content, "style": style, "total": total}

    def step(alpha, beta):
        weights.update(alpha=alpha, beta=beta)
        return traced()

    return step
