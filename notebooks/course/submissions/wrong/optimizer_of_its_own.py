"""The optimizer that is given is not the one that is used.

Loses: q7
Told: by the optimizer given
"""


# %% q7
def make_step(image, content_target, painting, optimizer):
    mine = tf.keras.optimizers.Adam(2.0)

    def step(alpha, beta):
        with tf.GradientTape() as tape:
            maps = features(image)
            content = content_loss(maps["conv2"], content_target)
            style = style_cost(maps, painting, {"conv1": 0.5, "conv3": 0.5})
            total = alpha * content + beta * style
        mine.apply_gradients([(tape.gradient(total, image), image)])
        image.assign(tf.clip_by_value(image, LOW, HIGH))
        return {"content": content, "style": style, "total": total}

    return step
