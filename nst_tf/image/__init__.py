"""Pictures and images: files, sizes, colors, masks, noise, and the pixels that a network takes."""
