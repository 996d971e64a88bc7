"""Pictures and images: files, sizes, colors, masks, noise and the pixel space of a network."""
