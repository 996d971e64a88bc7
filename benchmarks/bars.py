"""What is promised: the largest value that each figure may have."""

# Seconds an iteration, 640x480, 19-layer shape.
FLOAT32_TO_FLOOR = 1.12
MIXED_TO_FLOAT32 = 0.52
FLOAT32_TO_PEER = {"torch eager": 0.58, "torch channels_last": 0.68, "torch.compile": 0.85}
MIXED_TO_PEER = {"torch bfloat16": 0.78, "torch.compile bfloat16": 0.95}

# To the loss of the tutorial's saved picture, median over pairs.
TIME_FROM_CONTENT = 1 / 40
TIME_FROM_NOISE = 1 / 10
LOSS_AFTER_AS_MANY = 0.40  # 500 fast iterations' loss / the tutorial's
MIXED_LOSS_OFF = 0.01  # |mixed / float32 - 1|

# 3840x2160 in tiles, against 1920x1080 whole.
TILED_TO_WHOLE = 2.0  # seconds a pixel
TILED_GIB = 6.0

# A run of the presets nnst and strotss with a longer side of 512 pixels.
METHODS_GIB = 8.0

# Many runs in one process: MiB that are added after the second of each kind, in all.
LONG_DAY_MIB = 50.0

# On one NVIDIA H100: 640x480 in mixed precision, and the default job with 500 iterations.
GPU_UPDATE_TO_CONVOLUTIONS = 2.5
GPU_LBFGS_TO_ADAM = 1.3
GPU_LOOP = 5.0  # seconds
GPU_COMMAND = 14.0

# Seconds told before a run / taken, or the other way round, on a quiet machine.
ESTIMATE_OFF = 1.5
