"""The parameters of a film: those of a job, and its own."""

from dataclasses import dataclass, fields

from nst_tf.config import HUGE, SAVING, JobConfig, knob
from nst_tf.errors import ConfigError

# Parameters of a job that do not apply to films: results of several pictures, styles that depend on
# the photograph, and formats of the result.
NOT_OF_FILMS = (
    *("fine", "coarse", "fine_layers", "fine_iterations", "analogy", "wrap", "interpolate"),
    *("rescale", "print", "bits", "profile", "dpi"),
    *("save_every", "save_start", "animate", "checkpoint_every"),
)
RENAMED = {"begin": "--from", "end": "--to"}  # "from" is a keyword of Python


@dataclass(frozen=True)
class VideoConfig(JobConfig):
    """A film to paint: `content` is its file, or a directory of frames."""

    begin: float = knob(0.0, "second of the film to start at", minimum=0, maximum=1e7)
    end: float | None = knob(None, "second of the film to end at", above=0, maximum=1e7)
    every: int = knob(1, "paint every n-th frame and skip the others", minimum=1)
    rate: float = knob(
        25.0, "frames per second of a directory of frames", minimum=0.01, maximum=1000
    )
    frame_iterations: int = knob(
        60,
        "iterations of each frame except the first of a scene, which has --iterations",
        minimum=0,
        maximum=10**7,
    )
    temporal_weight: float = knob(
        200.0,
        "weight of the difference from the previous frames: a higher weight flickers less, a lower "
        "one repaints more; 0: a frame only starts from the previous one",
        minimum=0,
        maximum=HUGE,
    )
    links: tuple[int, ...] = knob(
        (1,),
        "compare each frame with the frames that many frames back: with 1 2 4, what was hidden for "
        "a moment reappears as it was painted before",
        minimum=1,
        maximum=100,
    )
    flow: str = knob(
        "auto",
        "optical flow: dis (OpenCV), tvl1 (scikit-image), auto (the first that is installed), or "
        "none: paint each frame separately",
        choices=("auto", "dis", "tvl1", "none"),
    )
    cut: float = knob(
        0.3,
        "minimum share of a frame that must be found in the previous one; below it, a new scene "
        "starts",
        minimum=0,
        maximum=1,
    )
    passes: int = knob(
        1,
        "2: a second pass, from the last frame to the first, paints each frame again, for "
        "--frame-iterations; what was hidden before it appeared then matches later frames",
        minimum=1,
        maximum=2,
    )
    write: str = knob(
        "mp4",
        "mp4: result.mp4 and its frames as pictures; frames: only the pictures",
        choices=("mp4", "frames"),
    )

    def __post_init__(self):
        super().__post_init__()
        usual = JobConfig()
        for name in NOT_OF_FILMS:
            if name not in SAVING and getattr(self, name) != getattr(usual, name):
                raise ConfigError(f"`{name}` does not apply to films; omit it")
        if 1 not in self.links:
            raise ConfigError(
                f"`links` is {' '.join(map(str, self.links))}; it must include 1, the previous "
                "frame"
            )
        if self.end is not None and self.end <= self.begin:
            raise ConfigError(
                f"`end` is {self.end:g} s and `begin` is {self.begin:g} s; `end` must be later"
            )

        if self.passes > 1 and self.flow == "none":
            raise ConfigError(
                f"`passes` is {self.passes} and `flow` is none; a second pass follows the motion: "
                "choose another flow, or omit `passes`"
            )

    def arguments(self):
        """Return the arguments of `python -m nst_tf.video` for this film, as a list."""
        flags = {f"--{name}": flag for name, flag in RENAMED.items()}
        return [flags.get(argument, argument) for argument in super().arguments()]


OWN = tuple(knob for knob in fields(VideoConfig) if not hasattr(JobConfig, knob.name))
