"""The content of docs/gallery.md: each picture, its commands, its alt text and its caption."""

from dataclasses import dataclass

from nst_tf.config import MATCHES, METHODS
from nst_tf.image.color import COLOR_MODES
from nst_tf.presets import PRESETS

NNST_COLORS = "match-oklab"  # is shown by itself
CONTENT, STYLE, MASK, MAP = "images/content", "images/style", "images/mask", "images/map"


@dataclass(frozen=True)
class Painting:
    """A run: the arguments of `python -m nst_tf.run`, and the label under its picture.

    Without arguments, it is a file to show next to the other pictures.
    """

    words: str
    label: str = ""
    file: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture of the page.

    Attributes
    ----------
    name : str
        Name of the file.
    title : str
    alt : str
        Description for readers who cannot see the picture.
    caption : str
    paintings : tuple of Painting
        Empty for a film.
    draw : str
        How to combine them: a name in `DRAWINGS` of `make_gallery.py`.
    columns : int
        Number of columns of tiles.
    width : int
        Maximum width of a tile, in pixels; 0: as painted.
    box : (left, top, right, bottom) or None
        The crop of the painting to show, in pixels.
    quality : int
        Quality of the JPEG. Below 82, flat washes show blocks; sheets of many tiles need less.
    film : str
        The arguments of `python -m nst_tf.video`, for frames of the sample clip.
    clip : str
        The arguments of `python -m nst_tf.video.sample`, which writes the clip.
    """

    name: str
    title: str
    alt: str
    caption: str
    paintings: tuple[Painting, ...]
    draw: str = "tiles"
    columns: int = 3
    width: int = 0
    box: tuple[int, int, int, int] | None = None
    quality: int = 82
    film: str = ""
    clip: str = ""


@dataclass(frozen=True)
class Section:
    """A heading of the page, a text and pictures."""

    title: str
    text: str
    pictures: tuple[Picture, ...]


def pair(content, style, knobs="", precision="--precision mixed"):
    """Return the arguments for a pair of the project's own pictures and the embedded network."""
    files = f"{CONTENT}/{content}.jpg {STYLE}/{style}.jpg"
    words = f"{files} {knobs} --weights embedded {precision}"
    return " ".join(words.split())


def _preset(name, content, style, alt, caption, knobs="", precision="--precision mixed", **form):
    words = pair(content, style, f"--preset {name} {knobs}", precision)
    caption = f"{PRESETS[name].source}.\n\n{caption}"
    paintings = (Painting(words),)
    return Picture(f"preset_{name}", name, alt, caption, paintings, draw="beside", **form)


DOODLE_FILES = (
    f"{MAP}/lake.png {STYLE}/night_strokes.jpg --regions {MAP}/lake.png {MAP}/night_strokes.png"
)
PRESET_PICTURES = (
    _preset(
        "devos",
        "chelsea",
        "night_strokes",
        "The cat in its own brown fur, green and blue rings in its eyes, a bright blue night in "
        "strokes behind it",
        "The whole cat remains: strokes follow its fur, whorls fill the eyes, and the background "
        "becomes the night of the painting.",
        precision="",
    ),
    _preset(
        "cs231n-composition",
        "astronaut",
        "cubist",
        "The astronaut, nearly unchanged except for some grain",
        "With VGG instead of SqueezeNet, the result is the photograph with grain, because content "
        "has the largest weight.",
    ),
    _preset(
        "cs231n-scream",
        "coffee",
        "waves",
        "The cup in brown and blue on a table of blue and white ripples",
        "The cup keeps its shape; the table takes the blue and the ripples of the waves.",
    ),
    _preset(
        "cs231n-starry",
        "chelsea",
        "night_strokes",
        "The cat in deep blue with short bright strokes along its fur",
        "Strokes follow the fur, the background becomes night, and eyes and nose remain.",
    ),
    _preset(
        "cs231n-inversion",
        "astronaut",
        "night_strokes",
        "The astronaut, nearly as in the photograph, with soft grain",
        "No style: the photograph is reconstructed from noise, from the features of one layer. "
        "Shapes and colors are almost complete. The command requires a painting but does not use "
        "it.",
    ),
    _preset(
        "cs231n-texture",
        "astronaut",
        "stained_glass",
        "A field of rounded pieces of red, yellow, blue and green glass with dark lines between "
        "them",
        "No content loss: pieces of the painting's glass. The photograph determines only the size.",
    ),
    _preset(
        "coursera-tf1",
        "coffee",
        "watercolour",
        "The cup and saucer made of flowers and leaves in red, violet and yellow",
        "Flowers everywhere; the cup remains visible. The preset stretches both pictures to 4:3.",
    ),
    _preset(
        "coursera-tf2",
        "astronaut",
        "cubist",
        "The astronaut in ochre and white planes with thin black lines, eyes lost between them",
        "Planes and lines everywhere, including the face.",
        precision="",
    ),
    _preset(
        "novak-nikulin",
        "coffee",
        "stained_glass",
        "A cup and saucer of red and blue glass in lead lines on brown, green and yellow pieces",
        "Correlations of neighboring layers: every cell has its lead line, and colors occur "
        "together as in the painting.",
    ),
    _preset(
        "titu-network",
        "astronaut",
        "watercolour",
        "The astronaut in flowers and leaves, with a suit of red blossoms",
        "Flowers everywhere; the face remains recognizable.",
    ),
    _preset(
        "titu-inetwork",
        "astronaut",
        "watercolour",
        "The astronaut in flowers and leaves, similar to the picture above",
        "Similar to the picture above, with a more natural face.",
    ),
    Picture(
        "preset_titu-doodle",
        "titu-doodle",
        "A lake at night below hills, with a moon, stars and dark trees, in short strokes",
        f"{PRESETS['titu-doodle'].source}.\n\nPainted from noise with the maps of "
        "`--regions`, which are shown in the section Regions. `--tv-weight` is changed: with the "
        "value of the source, much of the noise remains.",
        (
            Painting(
                f"{DOODLE_FILES} --preset titu-doodle --tv-weight 0.01 --size 400 "
                "--weights embedded --precision mixed"
            ),
        ),
    ),
    _preset(
        "gatys2015",
        "coffee",
        "stained_glass",
        "A cup and saucer in panes of red, blue, green and yellow glass, with fine grain all over",
        "From white noise: cup, saucer and spoon become panes of glass. With 300 of the 500 "
        "iterations, some noise remains.",
        "--iterations 300",
        quality=73,
    ),
    _preset(
        "gatys2016",
        "coffee",
        "stained_glass",
        "Panes of blue, red, green and yellow glass between lead lines, without a visible cup",
        "Also from white noise, with the same weight for every filter. The style hides the cup; a "
        "larger `--alpha` would bring it back. 300 of the 500 iterations.",
        "--iterations 300",
        quality=73,
    ),
    _preset(
        "gatys-pytorch",
        "chelsea",
        "watercolour",
        "The cat's face made of pink, red and green petals",
        "Petals as large as an eye; the face is still that of the cat. 200 of the 500 iterations.",
        "--iterations 200",
        quality=73,
    ),
    _preset(
        "pytorch-tutorial",
        "astronaut",
        "stained_glass",
        "The astronaut in black outlines filled with red, yellow, blue and green",
        "All shapes remain, with lead lines as outlines and the colors of the glass. The large "
        "patterns of the painting are missing, because no layer deeper than conv3_1 is matched.",
    ),
    _preset(
        "tf-docs",
        "chelsea",
        "waves",
        "The cat in the waves' ink lines, foam on forehead, nose and cheeks, pale blue eyes",
        "The fur becomes lines of waves, with foam where the fur is light. `--tv-weight 0` and "
        "`--alpha 100` differ from the source.",
        "--tv-weight 0 --alpha 100",
        precision="",
    ),
    _preset(
        "keras-io",
        "chelsea",
        "night_strokes",
        "The cat with whirls for eyes, its fur in brown and pink with fine ripples",
        "4000 small steps of gradient descent: the eyes become whirls; elsewhere, strokes remain "
        "fine. `--tv-weight` is 0, and `--alpha` is ten times that of the source.",
        "--tv-weight 0 --alpha 2.5e-7",
        precision="",
    ),
    _preset(
        "johnson",
        "coffee",
        "night_strokes",
        "A cup and saucer of blue and green strokes, with a few yellow whorls",
        "From a gray start: long strokes, and the cup as an outline. 300 of the 1000 iterations, "
        "with `--tv-weight 0`.",
        "--iterations 300 --tv-weight 0",
    ),
    _preset(
        "nnst",
        "astronaut",
        "cubist",
        "The astronaut in ochre and blue facets with dark outlines, before a plain gray ground",
        "Facets follow the contours of face, suit and helmet; the plain background stays plain.",
        precision="--precision float32",
        width=380,
    ),
    _preset(
        "strotss",
        "astronaut",
        "cubist",
        "The astronaut in ochre, olive and blue, with drawn lines in the face and painted clouds",
        "Shapes remain and colors are rearranged; the background gets the facets of the painting.",
        precision="--precision float32",
        width=380,
    ),
)


def _swept(content, style, flag, values):
    """Return a painting for each value of a flag."""
    return tuple(
        Painting(pair(content, style, f"{flag} {value}"), f"{flag} {value}") for value in values
    )


STYLES = ("night_strokes", "stained_glass", "woodcut", "cubist", "watercolour", "waves")
CONTENTS = ("coffee", "astronaut")
ALL_CONTENTS = ("astronaut", "chelsea", "coffee", "rocket", "hubble")
LARGE = pair("chelsea", "stained_glass", "--size 1280")


def _shown(file):
    return Painting("", file.rsplit("/")[-1].split(".")[0], file)


PHOTOGRAPHS = Picture(
    "photographs",
    "The photographs",
    "An astronaut, a tabby cat, a cup of coffee, a rocket on its pad and a field of galaxies",
    "In `images/content`.",
    tuple(_shown(f"{CONTENT}/{name}.jpg") for name in ALL_CONTENTS),
    columns=5,
    width=180,
)
DRAWN = Picture(
    "paintings",
    "The paintings",
    "Moonlit strokes, leaded glass, a woodcut, broken planes, flowers in washes and a great wave",
    "In `images/style`.",
    tuple(_shown(f"{STYLE}/{name}.jpg") for name in STYLES),
    columns=6,
    width=150,
)
STRENGTH = Picture(
    "strength",
    "Strength of the style: `--beta`",
    "The cup four times: nearly as in the photograph, then with more and more pieces of glass",
    "At 1, the photograph hardly changes. From 4 on, there are panes with lead lines; with a "
    "larger beta, they cover saucer and table. The default is 12.",
    _swept("coffee", "stained_glass", "--beta", (1, 4, 12, 32)),
    columns=2,
    width=440,
    quality=73,
)
SCALE = Picture(
    "style_scale",
    "Size of the strokes: `--style-scale`",
    "The cat three times, in strokes that grow from short dashes to broad streaks, with many small "
    "suns, a few larger ones, and none",
    "At 0.5, the painting is scaled down first: strokes are short, and there are many small suns. "
    "At 2, strokes are broad, there are no suns, and more of the face remains.",
    _swept("chelsea", "night_strokes", "--style-scale", (0.5, 1, 2)),
    width=400,
)
COLORS = Picture(
    "colors",
    "Color modes: `--color`",
    "The astronaut made of glass in fourteen colorings, from the glass's green and yellow to her "
    "own orange, and the photograph",
    "`style` uses the colors of the glass. `luminance` and `swap` keep those of the photograph: "
    "orange suit, gray wall, black helmet. `cholesky`, `pca` and `symmetric` recolor the painting "
    "before the run, so that the suit stays orange and the wall gets some pink. `histogram` "
    "recolors it channel by channel, with garish colors here. `match-style` recolors the "
    "photograph instead. In Lab, Luv and YCbCr, the orange suit keeps its dark lines, which "
    "`swap` loses.",
    (
        *_swept(
            "astronaut",
            "stained_glass",
            "--color",
            tuple(mode for mode in COLOR_MODES if mode != NNST_COLORS),
        ),
        Painting("", "the photograph", f"{CONTENT}/astronaut.jpg"),
    ),
    columns=5,
    width=200,
    quality=74,
)
MATCHED_COLORS = Picture(
    "matched_colors",
    "The photograph's colors, shifted to those of the painting: `--color match-oklab`",
    "The astronaut made of glass, in colors of her own moved to those of the glass",
    "The lightness of the result is combined with the colors of the photograph, which get the mean "
    "and covariance of the glass, in the color space Oklab. This is the last step of the method "
    "`neighbors`, here used with the default method.",
    (
        Painting(
            pair(
                "astronaut",
                "stained_glass",
                f"--size 256 --iterations 60 --color {NNST_COLORS}",
                precision="--precision float32",
            )
        ),
    ),
)
GRADIENTS = Picture(
    "normalized_gradients",
    "Normalized gradients: `--normalize-gradients`",
    "The cat twice in night strokes: with white cheeks and fur, and with more suns on its face and "
    "dark strokes across it",
    "Both use the same weights and 150 iterations of Adam. Normalized gradients give more style "
    "here: a sun on the cheek, dark strokes across the face, less fur. The final style loss is "
    "0.014 instead of 0.043, the content loss 2.1 instead of 0.84.",
    (
        Painting(
            pair("chelsea", "night_strokes", "--size 384 --iterations 150 --optimizer adam"),
            "--optimizer adam",
        ),
        Painting(
            pair("chelsea", "night_strokes", "--size 384 --iterations 150 --normalize-gradients"),
            "--normalize-gradients",
        ),
    ),
    columns=2,
)
TWO_STYLES = Picture(
    "two_styles",
    "Two paintings, each with a mask",
    "A cup and saucer of glass on a table of night strokes with yellow suns",
    "Glass where the mask is white, brush strokes elsewhere. [styles_and_masks.md]"
    "(styles_and_masks.md) explains the command.",
    (
        Painting(
            f"{CONTENT}/coffee.jpg {STYLE}/stained_glass.jpg {STYLE}/night_strokes.jpg "
            f"--masks {MASK}/coffee.png not:{MASK}/coffee.png "
            "--weights embedded --precision mixed"
        ),
    ),
)
KEPT = Picture(
    "kept",
    "Keeping the photograph outside the masks: `--keep-content`",
    "The cat's photograph before carved lines; the astronaut's photograph before a night sky "
    "with yellow stars",
    "The masks are white around the cat and the astronaut; where they are black, the photograph is "
    "pasted back. For the astronaut, `--style-masks` selects only the sky of the painting, "
    "without lake and trees.",
    (
        Painting(
            pair("chelsea", "woodcut", f"--masks not:{MASK}/chelsea.png --keep-content"),
            "the cat kept",
        ),
        Painting(
            pair(
                "astronaut",
                "night_strokes",
                f"--masks not:{MASK}/astronaut.png --style-masks {MASK}/night_strokes.png "
                "--keep-content",
            ),
            "the astronaut kept",
        ),
    ),
    columns=2,
    quality=73,
)
STYLE_MASKS = Picture(
    "style_masks",
    "A part of the painting: `--style-masks`",
    "The cup three times: in blossoms and leaves, in red and orange blossoms, and in muted "
    "green leaves",
    "With only the flowers of the painting, there are blossoms everywhere; without them, there is "
    "no red, and green and gray-blue remain.",
    (
        Painting(pair("coffee", "watercolour"), "all of the painting"),
        Painting(
            pair("coffee", "watercolour", f"--style-masks {MASK}/watercolour.png"),
            "its flowers",
        ),
        Painting(
            pair("coffee", "watercolour", f"--style-masks not:{MASK}/watercolour.png"),
            "all but its flowers",
        ),
    ),
    width=400,
)
REGIONS = Picture(
    "regions",
    "Regions by color: `--regions`",
    "A photograph and a painting with their maps, and a red cup with a yellow inside on an orange "
    "saucer, on a blue table, all of glass",
    "The table takes its style from the sky of the painting, the saucer from the petals, the "
    "inside of the cup from the pale petals, and the cup from the frame. The hills are not used.",
    (
        Painting(
            pair(
                "coffee",
                "stained_glass",
                f"--regions {MAP}/coffee.png {MAP}/stained_glass.png --size 512",
            )
        ),
    ),
    draw="beside",
)
DOODLE = Picture(
    "doodle",
    "A doodle",
    "A map of a lake with moon, stars, hills and three trees, the same as a painted night, and the "
    "painting with its map",
    "No photograph and no content loss: the map defines the shapes, and the regions of the "
    "painting fill them. The run starts from the colors of the map.",
    (
        Painting("", "the doodle", f"{MAP}/lake.png"),
        Painting(
            f"{DOODLE_FILES} --alpha 0 --size 512 --weights embedded --precision mixed",
            "the result",
        ),
        Painting("", "the painting", f"{STYLE}/night_strokes.jpg"),
        Painting("", "its map", f"{MAP}/night_strokes.png"),
    ),
    columns=2,
    width=400,
)
STYLE_LAYERS = Picture(
    "style_layers",
    "The layers of the style",
    "The astronaut three times: tinted brown, then with the painting's clouds of color, then in "
    "planes with black lines",
    "The first layer transfers only the palette of the painting; the layers up to conv3_1 also "
    "transfer its texture; all five form planes with edges.",
    tuple(
        Painting(pair("astronaut", "cubist", f"--style-layers {layers}"), label)
        for layers, label in (
            ("conv1_1", "conv1_1"),
            ("conv1_1 conv2_1 conv3_1", "conv1_1 to conv3_1"),
            ("conv1_1 conv2_1 conv3_1 conv4_1 conv5_1", "conv1_1 to conv5_1 (default)"),
        )
    ),
    width=400,
    quality=73,
)
MATCHED = Picture(
    "statistics",
    "Statistics of the style: `--method`",
    "The cat six times in glass: small pieces and fur above; larger and clearer pieces below, "
    "paler and angular in the last",
    "Cat and stained glass. Gram matrices, `chain` (of neighboring layers) and `blurred` look "
    "similar and leave some fur; with `moments` and `wasserstein`, more of the cat becomes glass. "
    "`patches` assembles it from pieces of the painting, in paler colors.",
    (
        *_swept(
            "chelsea",
            "stained_glass",
            "--method",
            [method for method in METHODS if method not in (*MATCHES, "shifted")],
        ),
    ),
    width=330,
    quality=73,
)
SHIFTED = Picture(
    "shifted",
    "Long-range order: `--method shifted`",
    "The cat in small pieces of colored glass, with dark lead lines between them",
    "Gram matrices of each feature map, and of the map with itself shifted by 2 to 16 positions "
    "(Berger and Memisevic 2017). This method is for regular patterns: "
    "[docs/choosing.md](choosing.md#long-range-order).",
    (
        Painting(
            pair(
                "chelsea",
                "stained_glass",
                "--method shifted --size 256",
                "--precision float32",
            )
        ),
    ),
    draw="beside",
)
PATCHES = Picture(
    "patches",
    "Patches: `--method patches`",
    "The cat in angular pieces of glass with dark leads; the cup in round wave lines, its coffee "
    "red with small bubbles",
    "The picture is assembled from pieces of the painting, such as whole panes with their leads or "
    "whole bundles of lines. Colors follow the shapes less than with statistics: the coffee takes "
    "the red of the sun.",
    (
        Painting(pair("chelsea", "stained_glass", "--method patches --size 512")),
        Painting(pair("coffee", "waves", "--method patches --size 512")),
    ),
    columns=2,
    width=400,
)
NEIGHBORS = Picture(
    "neighbors",
    "Nearest neighbors: `--method neighbors`",
    "The cat in panes of colored glass, with leads along its stripes and unchanged eyes",
    "Each position of the photograph takes the features of a position of the painting, at all "
    "layers together: NNST (Kolkin et al. 2022). Panes follow the contours of the cat, which "
    "remain clear.",
    (
        Painting(
            pair(
                "chelsea",
                "stained_glass",
                "--method neighbors --size 384",
                "--precision float32",
            )
        ),
    ),
)
ANALOGY = Picture(
    "analogy",
    "An image analogy: `--analogy`",
    "A map of a night with moon, stars and trees, and the painted night; a map of a lake, and the "
    "lake as a painted night",
    "The result is to CONTENT as the second picture is to the first. In flat areas, many "
    "patches match equally well, and the program uses those at the same position: sky and water "
    "keep whorls and waves. Stripes remain where no patch continues the next one, for example "
    "between water and hills.",
    (
        Painting("", "first picture", f"{MAP}/night_strokes.png"),
        Painting("", "second picture", f"{STYLE}/night_strokes.jpg"),
        Painting("", "CONTENT", f"{MAP}/lake.png"),
        Painting(
            f"{MAP}/lake.png --analogy {MAP}/night_strokes.png {STYLE}/night_strokes.jpg "
            "--size 512 --weights embedded --precision mixed",
            "the result",
        ),
    ),
    columns=2,
    width=330,
)
SCALE_CONTROL = Picture(
    "scale_control",
    "Two styles at two scales: `--fine`, `--coarse`",
    "The painted night and the stained glass; the glass with strokes of the night; the cat in deep "
    "blue panes of strokes, with a beige face and leads about the eyes",
    "The mixed style has the panes of the second painting and the strokes and colors of the first. "
    "The night has little yellow, so the flower becomes beige.",
    (
        Painting(
            f"{CONTENT}/chelsea.jpg --fine {STYLE}/night_strokes.jpg --coarse "
            f"{STYLE}/stained_glass.jpg --size 512 --weights embedded --precision mixed"
        ),
    ),
    draw="mixed",
    columns=2,
    width=300,
)
INTERPOLATION = Picture(
    "interpolation",
    "From one style to another: `--interpolate`",
    "The cat's face five times: in blue night strokes, with dark outlines, with a nose of orange "
    "panes, and twice in panes of many colors with leads",
    "The style is the painted night at the left, the stained glass at the right, and three points "
    "on the geodesic between them. Outlines appear first around the eyes, then panes on the nose, "
    "then panes in the background, with the yellow and red of the glass.",
    (
        Painting(
            f"{CONTENT}/chelsea.jpg {STYLE}/night_strokes.jpg {STYLE}/stained_glass.jpg "
            "--interpolate 5 --size 192 --iterations 100 --weights embedded --precision float32"
        ),
    ),
    width=1000,
)
FILM = Picture(
    "film",
    "A film: `python -m nst_tf.video`",
    "Three moments of a view that moves over a cat's face while a blue disk passes in front of it; "
    "below, the same in blue and yellow strokes",
    "Frames 1, 25 and 48 of the sample clip, and the painted frames below. The whorls of the eyes "
    "and the yellow strokes on the nose move with the face. Behind the disk, the face is painted "
    "again, in other strokes. Between two frames, pixels change by 4.1 gray levels (root mean "
    "square, along the true motion).",
    (),
    draw="frames",
    columns=3,
    width=320,
    clip="output/sample_clip",
    film=f"output/sample_clip {STYLE}/night_strokes.jpg --rate 24 --size 320 --weights embedded "
    "--precision float32",
)
SEAMLESS = Picture(
    "seamless",
    "A texture without seams: `--wrap xy`",
    "Whorls, yellow stars and dark trees of a painted night; the same four times, without a line "
    "between them",
    "160x160 pixels, repeated twice in each direction. Across the edges, neighboring pixels differ "
    "by 8 (top and bottom) and 12 gray levels (left and right); inside, they differ by 11 and 9.",
    (
        Painting(
            pair(
                "coffee",
                "night_strokes",
                "--wrap xy --alpha 0 --init noise --size 160x160 --iterations 100",
                "--precision float32",
            )
        ),
    ),
    draw="repeated",
)
PRINT = Picture(
    "print",
    "A crop of a print: `--print`, `--size`",
    "An eye of the cat in a ring of thick dark lead, next to pink and orange glass, all soft",
    "420x280 of the 1417x945 pixels of a 12x8 cm print at 300 dpi, painted at 256 pixels and "
    "enlarged 5.5 times. Lines are soft: for a print viewed at close range, use a larger `--size`.",
    (
        Painting(
            pair(
                "chelsea",
                "stained_glass",
                "--print 12x8cm --size 256 --iterations 100",
                "--precision float32",
            )
        ),
    ),
    draw="crop",
    box=(480, 300, 900, 580),
)
SHEET = Picture(
    "sheet",
    "Each painting with two photographs",
    "The cup and the astronaut, each in strokes, glass, woodcut, planes, washes and waves",
    "The face is clearest with glass and planes; in the washes, a blossom covers part of it.",
    tuple(
        Painting(pair(content, style), style if not row else "")
        for row, content in enumerate(CONTENTS)
        for style in STYLES
    ),
    columns=6,
    width=240,
    quality=74,
)
LARGE_WHOLE = Picture(
    "large",
    "The whole picture",
    "The cat's face in orange, yellow and pink glass between blue and green panes, with yellow and "
    "blue eyes",
    "1280x851 pixels in 200 iterations, reduced here.",
    (Painting(LARGE),),
    width=1000,
    quality=73,
)
LARGE_CROP = Picture(
    "large_crop",
    "A crop at full size",
    "The cat's two eyes in black lead lines, orange and yellow glass between them",
    "800x533 pixels as painted. The lead lines were painted at a smaller size and have soft edges; "
    "fur is visible on the forehead and below the left eye.",
    (Painting(LARGE),),
    draw="crop",
    box=(300, 180, 1100, 713),
)
HERO_PICTURE = Picture(
    "hero",
    "The cat of glass",
    "A tabby cat and a leaded-glass window, and the cat's face in orange, yellow, green and "
    "blue pieces",
    "Photograph, painting and result, reduced; the section Large has a crop at full size.",
    (Painting(LARGE),),
    draw="beside",
    width=960,
)

ABOUT = """
# Gallery

This page shows the effect of the presets and options on the project's own pictures, each with its
command.

- **Network**: the embedded VGG-16. Without `--weights embedded`, a command uses the VGG-19 of the
  paper if its file is in `model/`.
- **Sizes**: presets use their own sizes, and all their iterations unless the command has
  `--iterations`. The other pictures use the defaults (as many pixels as 640x480, 200 iterations)
  unless the command has other values. Rows of three or more pictures are scaled down to fit
  the page.
- **Hardware**: devos, coursera-tf2, tf-docs, keras-io, strength, scale control, colors, statistics,
  patches and the large picture ran on an NVIDIA H200. The others ran on two CPU cores, where a
  picture with the default options takes about two minutes.
- **Precision and seed**: bfloat16 with `--precision mixed`, else float32; seed 0. If your processor
  has no bfloat16, omit `--precision`.
- **Versions**: nst_tf 0.1.0, TensorFlow 2.21.0.
- **Source**: `python docs/make_gallery.py` paints the pictures and writes this page.
  `python docs/make_gallery.py preset_devos strength` paints two of the pictures; `--list` prints
  all names.
- **Credits**: the photographs of Chelsea the cat and of the coffee were provided by their
  photographers (Stefan van der Walt; Rachel Michetti, Pikolo Espresso Bar). The astronaut and the
  deep field are by NASA, the rocket is by SpaceX. The paintings were drawn for this project. All
  of them may be used freely: [images/CREDITS.md](../images/CREDITS.md).
"""
SECTIONS = (
    Section("A first look", "", (HERO_PICTURE, PHOTOGRAPHS, DRAWN)),
    Section(
        "Presets",
        "Photograph and painting are at the left, the result is at the right. "
        "[presets.md](presets.md) describes each preset and the errors of its source. The presets "
        "of CS231n are for SqueezeNet, whose file is not part of this project. Here, their "
        "numbers are applied to a normalized VGG, which gives a different picture.",
        PRESET_PICTURES,
    ),
    Section(
        "Strength and scale",
        "Each picture changes one option; the others have their defaults.",
        (STRENGTH, SCALE, SCALE_CONTROL, INTERPOLATION, GRADIENTS),
    ),
    Section("Colors", "The painting is the stained glass.", (COLORS, MATCHED_COLORS)),
    Section(
        "Masks",
        "The masks for these pictures are in `images/mask`. A style acts where its mask is white.",
        (TWO_STYLES, KEPT, STYLE_MASKS),
    ),
    Section(
        "Regions",
        "The maps are in `images/map`. A region takes its style from the region of the painting "
        "with the same color.",
        (REGIONS, DOODLE),
    ),
    Section("Layers", "The astronaut in broken planes.", (STYLE_LAYERS,)),
    Section(
        "Statistics",
        "The default, `moments`, and other methods.",
        (MATCHED, SHIFTED, PATCHES, NEIGHBORS, ANALOGY),
    ),
    Section("Paintings and photographs", "An overview at a small size.", (SHEET,)),
    Section(
        "Large",
        "The photograph has 451x300 pixels and is enlarged before the run, so that the strokes are "
        "painted at the larger size.",
        (LARGE_WHOLE, LARGE_CROP, PRINT),
    ),
    Section("Films", "[video.md](video.md) describes the method and its options.", (FILM,)),
    Section(
        "Textures",
        "Patterns of a painting, without a photograph.",
        (SEAMLESS,),
    ),
)
