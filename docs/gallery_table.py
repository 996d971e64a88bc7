"""What docs/gallery.md shows: each picture, what it is made of, and what is to be seen on it."""

from dataclasses import dataclass

from nst_tf.config import MATCHES, METHODS
from nst_tf.image.color import COLOR_MODES
from nst_tf.presets import PRESETS

CONTENT, STYLE, MASK, MAP = "images/content", "images/style", "images/mask", "images/map"


@dataclass(frozen=True)
class Painting:
    """A run: the words behind `python -m nst_tf.run`, and the label under its picture.

    Without words it is a file that is shown beside the others.
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
        Of its file.
    title : str
    alt : str
        What one sees, for those who can't.
    caption : str
    paintings : tuple of Painting
    draw : str
        How it is made of them: a name in `DRAWINGS` of `make_gallery.py`.
    columns : int
        Of the tiles.
    width : int
        Of a tile at most, in pixels; 0: as painted.
    box : (left, top, right, bottom) or None
        What a crop shows of its painting, in pixels.
    quality : int
        Of the JPEG. Below 82, flat washes show blocks; sheets of many tiles bear less.
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


@dataclass(frozen=True)
class Section:
    """A heading of the page, a text and pictures."""

    title: str
    text: str
    pictures: tuple[Picture, ...]


def pair(content, style, knobs="", precision="--precision mixed"):
    """Return the words for a pair of the project's own pictures, by the embedded network."""
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
        "All of the cat is kept: strokes follow its fur, whorls fill the eyes, and the background "
        "becomes the painting's night.",
        precision="",
    ),
    _preset(
        "cs231n-composition",
        "astronaut",
        "cubist",
        "The astronaut, hardly changed but for some grain",
        "On the stand-in for SqueezeNet it remains a photograph with grain: content weighs most "
        "here.",
    ),
    _preset(
        "cs231n-scream",
        "coffee",
        "waves",
        "The cup in brown and blue on a table of blue and white ripples",
        "The cup keeps its shape; the table takes the wave's blue and its ripples.",
    ),
    _preset(
        "cs231n-starry",
        "chelsea",
        "night_strokes",
        "The cat in deep blue with short bright strokes along its fur",
        "Strokes follow the fur, the background turns to night, eyes and nose stay.",
    ),
    _preset(
        "cs231n-inversion",
        "astronaut",
        "night_strokes",
        "The astronaut much as in the photograph, with soft grain",
        "No style: the photograph as one layer knows it, found from noise. Shapes and colors come "
        "back almost whole. The painting is named, as the command wants two pictures, and has no "
        "part.",
    ),
    _preset(
        "cs231n-texture",
        "astronaut",
        "stained_glass",
        "A field of rounded pieces of red, yellow, blue and green glass with dark lines between "
        "them",
        "No content: pieces of the painting's glass. Of the photograph only the size is taken.",
    ),
    _preset(
        "coursera-tf1",
        "coffee",
        "watercolour",
        "The cup and saucer made of flowers and leaves in red, violet and yellow",
        "Flowers all over, the cup still to be seen. The preset stretches both pictures to 4:3.",
    ),
    _preset(
        "coursera-tf2",
        "astronaut",
        "cubist",
        "The astronaut in ochre and white planes with thin black lines, eyes lost between them",
        "Planes and lines all over, down to the face.",
        precision="",
    ),
    _preset(
        "novak-nikulin",
        "coffee",
        "stained_glass",
        "A cup and saucer of red and blue glass in lead lines on brown, green and yellow pieces",
        "Correlations of neighboring layers: every cell has its lead line, and colors sit where "
        "the painting has them together.",
    ),
    _preset(
        "titu-network",
        "astronaut",
        "watercolour",
        "The astronaut in flowers and leaves, the suit a bed of red blossoms",
        "Flowers all over; the face stays readable.",
    ),
    _preset(
        "titu-inetwork",
        "astronaut",
        "watercolour",
        "The astronaut in flowers and leaves, much like the picture above",
        "Close to the one above, with a more natural face.",
    ),
    Picture(
        "preset_titu-doodle",
        "titu-doodle",
        "A lake at night below hills, with a moon, stars and dark trees, in short strokes",
        f"{PRESETS['titu-doodle'].source}.\n\nFrom noise, by the maps that `--regions` names, "
        "which are shown under Regions. `--tv-weight` is changed here: with the source's, much of "
        "the noise remains.",
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
        "From white noise: cup, saucer and spoon come back as panes of glass. 300 of its 500 "
        "iterations; some noise is left.",
        "--iterations 300",
        quality=73,
    ),
    _preset(
        "gatys2016",
        "coffee",
        "stained_glass",
        "Panes of blue, red, green and yellow glass between lead lines, the cup not to be found",
        "Also from white noise, every filter counting alike. Style overrides the cup: more "
        "`--alpha` brings back content. 300 of its 500 iterations.",
        "--iterations 300",
        quality=73,
    ),
    _preset(
        "gatys-pytorch",
        "chelsea",
        "watercolour",
        "The cat's face made of pink, red and green petals",
        "Petals of the size of an eye, with a face that is still the cat's. 200 of its 500 "
        "iterations.",
        "--iterations 200",
        quality=73,
    ),
    _preset(
        "pytorch-tutorial",
        "astronaut",
        "stained_glass",
        "The astronaut in black outlines filled with red, yellow, blue and green",
        "Shapes all stay, drawn in lead lines and filled with the glass's colors. The painting's "
        "large patterns do not come along, as no layer below conv3_1 is matched.",
    ),
    _preset(
        "tf-docs",
        "chelsea",
        "waves",
        "The cat in the waves' ink lines, foam on forehead, nose and cheeks, pale blue eyes",
        "Fur becomes swell, line by line, and foam gathers where the fur is light. `--tv-weight 0` "
        "and `--alpha 100` are changed here.",
        "--tv-weight 0 --alpha 100",
        precision="",
    ),
    _preset(
        "keras-io",
        "chelsea",
        "night_strokes",
        "The cat with whirls for eyes, its fur in brown and pink with fine ripples",
        "4000 small steps of gradient descent: the eyes become whirls, elsewhere strokes stay "
        "fine. `--tv-weight 0` and ten times the source's `--alpha` are changed here.",
        "--tv-weight 0 --alpha 2.5e-7",
        precision="",
    ),
    _preset(
        "johnson",
        "coffee",
        "night_strokes",
        "A cup and saucer of blue and green strokes, with a few yellow whorls",
        "From a grey start: long strokes, the cup as an outline. 300 of its 1000 iterations, with "
        "`--tv-weight 0`.",
        "--iterations 300 --tv-weight 0",
    ),
    _preset(
        "nnst",
        "astronaut",
        "cubist",
        "The astronaut in ochre and blue facets with dark outlines, before a plain gray ground",
        "Facets follow the contours of face, suit and helmet; the even background stays even.",
        precision="--precision float32",
        width=380,
    ),
    _preset(
        "strotss",
        "astronaut",
        "cubist",
        "The astronaut in ochre, olive and blue, with drawn lines in the face and painted clouds",
        "Shapes remain and colors are shared out anew; the background gets the painting's facets.",
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
    "How strong the style is: `--beta`",
    "The cup four times: much as in the photograph, then with more and more pieces of glass",
    "At 1 the photograph hardly changes; from 4 on there are panes with lead lines, and they take "
    "over saucer and table as beta grows. The default is 12.",
    _swept("coffee", "stained_glass", "--beta", (1, 4, 12, 32)),
    columns=2,
    width=440,
    quality=73,
)
SCALE = Picture(
    "style_scale",
    "How large its strokes are: `--style-scale`",
    "The cat three times, in strokes that grow from short dashes to broad streaks, with many small "
    "suns, a few larger ones, and none",
    "At 0.5 the painting is made smaller first: short strokes, many small suns. At 2 strokes "
    "are broad and calm, the suns are gone, and more of the face stays.",
    _swept("chelsea", "night_strokes", "--style-scale", (0.5, 1, 2)),
    width=400,
)
COLORS = Picture(
    "colors",
    "Whose colors: `--color`",
    "The astronaut made of glass in fourteen colorings, from the glass's green and yellow to her "
    "own orange, and the photograph",
    "`style` gives the glass's colors. `luminance` and `swap` keep the photograph's: orange "
    "suit, grey wall, black helmet. `cholesky`, `pca` and `symmetric` recolor the painting "
    "before the run, so that the suit stays orange and the wall gets some pink; `histogram` "
    "does it channel by channel, with garish colors here. `match-style` recolors the photograph "
    "instead. In Lab, Luv and YCbCr the dark lines stay in the orange suit, which `swap` loses "
    "there.",
    (
        *_swept(
            "astronaut",
            "stained_glass",
            "--color",
            tuple(COLOR_MODES),
        ),
        Painting("", "the photograph", f"{CONTENT}/astronaut.jpg"),
    ),
    columns=5,
    width=200,
    quality=74,
)
GRADIENTS = Picture(
    "normalized_gradients",
    "Gradients of equal size: `--normalize-gradients`",
    "The cat twice in night strokes: with white cheeks and fur, and with more suns on its face and "
    "dark strokes across it",
    "The same weights, with Adam in 150 iterations. With normalized gradients they give more style "
    "here: a sun on the cheek, dark strokes across the face, less fur. The style loss ends at "
    "0.014 instead of 0.043, the content loss at 2.1 instead of 0.84.",
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
    "Two paintings, a mask each",
    "A cup and saucer of glass on a table of night strokes with yellow suns",
    "Glass where the mask is white, brush strokes elsewhere: the example of "
    "[styles_and_masks.md](styles_and_masks.md).",
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
    "The photograph kept where no mask is: `--keep-content`",
    "The cat's photograph before carved lines; the astronaut's photograph before a night sky "
    "with yellow stars",
    "The masks are white about cat and astronaut, and what they leave out is pasted back from "
    "the photograph. With the astronaut, `--style-masks` select the painting's sky alone, "
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
    "With the flowers alone blossoms are everywhere; without them the reds are gone, and green "
    "and grey-blue remain.",
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
    "The table takes the glass of the sky, the saucer that of the petals, the inside of the cup "
    "that of the pale petals and the cup that of the frame. The hills are not used.",
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
    "No photograph and no content: the map gives forms, the painting's regions fill them. The run "
    "starts from the colors of the map.",
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
    "The first layer brings the painting's palette alone; up to conv3_1 its texture comes with "
    "it; all five make planes with edges.",
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
    "What is matched of the style: `--method`",
    "The cat six times in glass: small pieces and fur above; larger and clearer pieces below, "
    "paler and angular in the last",
    "Cat and stained glass. Gram matrices, `chain` (of neighboring layers) and `blurred` look "
    "much alike and leave some fur; `moments` and `wasserstein` make glass of more of the cat. "
    "`patches` puts it together from the painting's pieces, in paler colors.",
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
    "What repeats at a distance: `--method shifted`",
    "The cat in small pieces of colored glass, with dark lead lines between them",
    "Gram matrices of each map, and of the map with itself moved by 2 to 16 positions (Berger and "
    "Memisevic 2017). Its use is regular patterns: "
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
    "The cat of angular pieces of glass with dark leads; the cup as a round of wave lines, its "
    "coffee red with small bubbles",
    "The picture is put together from pieces of the painting: whole panes with their leads, whole "
    "bundles of lines. Colors follow the forms less than with statistics: the coffee takes the red "
    "of the sun.",
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
    "The cat of panes of colored glass, with leads along its stripes; the eyes are as they were",
    "Each place of the photograph takes the features of a place of the painting, at all layers "
    "together: NNST (Kolkin et al. 2022). Panes follow the cat's own contours, which stay clear.",
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
    "As the second picture is to the first, so is the result to CONTENT. Flat parts, where many "
    "patches match equally well, take those at the same place: sky and water keep whorls and "
    "waves. Stripes remain where no patch continues the next one, as between water and hills.",
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
    "The mixed style has the panes of the second painting in the strokes and colors of the first. "
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
    "Left the painted night, right the stained glass, and three points of the geodesic between "
    "them. Outlines appear about the eyes first, then panes on the nose, then those of the "
    "background, with the glass's yellow and red.",
    (
        Painting(
            f"{CONTENT}/chelsea.jpg {STYLE}/night_strokes.jpg {STYLE}/stained_glass.jpg "
            "--interpolate 5 --size 192 --iterations 100 --weights embedded --precision float32"
        ),
    ),
    width=1000,
)
SEAMLESS = Picture(
    "seamless",
    "A texture without seams: `--wrap xy`",
    "Whorls, yellow stars and dark trees of a painted night; the same four times, without a line "
    "between them",
    "160x160 pixels, shown twice in each direction. Across the edges, pixels differ by 8 (top and "
    "bottom) and 12 gray levels (left and right), neighbors inside by 11 and 9.",
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
    "A part of a print: `--print`, `--size`",
    "An eye of the cat in a ring of thick dark lead, pink and orange glass beside it, all soft",
    "420x280 of the 1417x945 pixels of a print of 12x8 cm at 300 dpi, painted at 256 pixels and "
    "enlarged 5.5 times. Lines are soft: paint at a larger `--size` for a print that is looked at "
    "closely.",
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
    "Glass and planes leave the face most readable; in the washes a blossom lands on it.",
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
    "The whole",
    "The cat's face in orange, yellow and pink glass between blue and green panes, eyes yellow "
    "and blue",
    "1280x851 pixels in 200 iterations, made smaller here.",
    (Painting(LARGE),),
    width=1000,
    quality=73,
)
LARGE_CROP = Picture(
    "large_crop",
    "A part of it, pixel by pixel",
    "The cat's two eyes in black lead lines, orange and yellow glass between them",
    "800x533 pixels as painted. The lead lines were laid down while the picture was small and "
    "have soft edges; fur shows through on the forehead and below the left eye.",
    (Painting(LARGE),),
    draw="crop",
    box=(300, 180, 1100, 713),
)
HERO_PICTURE = Picture(
    "hero",
    "The cat of glass",
    "A tabby cat and a leaded-glass window, and the cat's face in orange, yellow, green and "
    "blue pieces",
    "Photograph, painting and result, made smaller; a part at its own size is under Large.",
    (Painting(LARGE),),
    draw="beside",
    width=960,
)

ABOUT = """
# Gallery

What the presets and the knobs do, on the project's own pictures; the full command is under each.

- **Network**: the embedded VGG-16. Without `--weights embedded` a command uses the paper's VGG-19
  if its file is in `model/`.
- **Sizes**: presets at their own size, and with all their iterations unless `--iterations` says
  otherwise; the knobs with the default job (as many pixels as 640x480, 200 iterations), or as
  the command says; one picture at 1280. Rows of three and more are made smaller to fit the page.
- **Where**: devos, coursera-tf2, tf-docs, keras-io, strength, scale control, colors, statistics,
  patches and the large picture on an NVIDIA H200, the others on two CPU cores, where a picture of
  the default job takes about two minutes.
- **Precision, seed**: bfloat16 where `--precision mixed` stands, else float32; seed 0. Without
  bfloat16 in the processor, leave `--precision` out.
- **Versions**: nst_tf 0.1.0, TensorFlow 2.21.0.
- **Made by** `python docs/make_gallery.py`, which writes this page, too:
  `python docs/make_gallery.py preset_devos strength` makes two of the pictures, `--list` names all.
- **Credit**: the photographs of Chelsea the cat (Stefan van der Walt) and of the coffee (Rachel
  Michetti, Pikolo Espresso Bar) were given by the photographers; astronaut and deep field are
  NASA's, the rocket is SpaceX's. The paintings were drawn for this project. All of them may be used
  freely: [images/CREDITS.md](../images/CREDITS.md).
"""
SECTIONS = (
    Section("A first look", "", (HERO_PICTURE, PHOTOGRAPHS, DRAWN)),
    Section(
        "Presets",
        "At the left photograph and painting, at the right what the preset makes of them. "
        "`python -m nst_tf.run --list-presets` says what to expect and where the sources err. "
        "Those of CS231n were made for SqueezeNet, whose file is not part of this project: "
        "here, as the program says, their numbers are put on a normalized VGG, which gives "
        "another picture.",
        PRESET_PICTURES,
    ),
    Section(
        "Strength and scale",
        "One knob at a time; all else as by default.",
        (STRENGTH, SCALE, SCALE_CONTROL, INTERPOLATION, GRADIENTS),
    ),
    Section("Colors", "The painting is the stained glass.", (COLORS,)),
    Section(
        "Masks",
        "Masks are drawn for these pictures and lie in `images/mask`. White is where a style acts.",
        (TWO_STYLES, KEPT, STYLE_MASKS),
    ),
    Section(
        "Regions",
        "Maps in flat colors lie in `images/map`. A region takes its style from the region of the "
        "same color.",
        (REGIONS, DOODLE),
    ),
    Section("Layers", "Astronaut and broken planes.", (STYLE_LAYERS,)),
    Section(
        "Statistics",
        "Beside the moments, the default, five others.",
        (MATCHED, SHIFTED, PATCHES, NEIGHBORS, ANALOGY),
    ),
    Section("Paintings and photographs", "Small, to choose by.", (SHEET,)),
    Section(
        "Large",
        "The photograph has 451x300 pixels and is enlarged; what is painted is as fine as the "
        "picture.",
        (LARGE_WHOLE, LARGE_CROP, PRINT),
    ),
    Section(
        "Textures",
        "Without a photograph: the painting's patterns alone.",
        (SEAMLESS,),
    ),
)
