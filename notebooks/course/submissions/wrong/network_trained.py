"""The gradient goes into the filters as well.

Loses: q7
Told: the network must not change
"""


# %% q7
def make_step(image, content_target, painting, optimizer):
    variables = [image, *FILTERS.values()]
    trainer = tf.keras.optimizers.SGD(1e-9)

    def step(alpha, beta):
        with tf.GradientTape() as tape:
            maps = features(image)
            content = content_loss(maps["conv2"], content_target)
            style = style_cost(maps, painting, {"conv1": 0.5, "conv3": 0.5})
            total = alpha * content + beta * style
        gradients = tape.gradient(total, variables)
        optimizer.apply_gradients([(gradients[0], image)])
        trainer.apply_gradients(zip(gradients[1:], variables[1:]))
        image.assign(tf.clip_by_value(image, LOW, HIGH))
        return {"content": content, "style": style, "total": total}

    return step
