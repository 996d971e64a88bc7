"""How long until a picture is as good as the tutorial's: its loss, read from the saved file."""

import math
import statistics
from dataclasses import asdict, dataclass, field

from PIL import Image

from benchmarks import bars
from benchmarks.parts.common import ours
from benchmarks.parts.peers import exported, session_worker
from benchmarks.place import folder
from benchmarks.report import Part
from benchmarks.workers import Worker, at_work, one_round

TRUNK = "16"  # losses are read, so the layers must be real
TUTORIAL, SESSION = "ours, tutorial's way", "tutorial's session"
STARTS = {"content": bars.TIME_FROM_CONTENT, "noise": bars.TIME_FROM_NOISE}
PAIRS = (
    "coffee:stained_glass",
    "astronaut:cubist",
    "rocket:watercolour",
    "hubble:waves",
    "chelsea:woodcut",
)
# Tried in turn until the loss is the tutorial's: each costs about a third more than the last.
BUDGETS = (12, 16, 21, 28, 37, 50, 66, 88, 117, 156, 208, 277, 370, 500)


@dataclass
class Run:
    """A finished transfer: seconds from loaded pictures to the picture, and its saved loss."""

    seconds: float
    loss: float
    picture: str
    iterations: int


@dataclass
class Pair:
    """What was measured of one content, style and start.

    `fast` has the runs by their number of iterations; `reached` is that of the first whose loss
    is the tutorial's or less, None if none was.
    """

    name: str
    tutorial: Run
    session_seconds: float | None = None
    fast: dict[int, Run] = field(default_factory=dict)
    reached: int | None = None
    precision_off: float | None = None


def measure(options):
    """Run tutorial and fast schedule for every pair and start."""
    pairs = options.pairs
    size, count = options.schedule_size, options.tutorial_iterations
    estimated = (
        ", its time estimated, its loss from a mixed run" if options.estimate_tutorial else ""
    )
    about = f"to the loss of the picture saved after the tutorial's {count} at {size}{estimated}"
    part = Part("schedule", about)
    with at_work(_paced(options)) as (workers, timings, part.skipped):
        for start in options.starts:
            measured = []
            for pair in pairs:
                one_round(workers, timings, options.estimate_iterations)
                measured.append(_measure_pair(pair, start, options, timings))
                print(f"{measured[-1].name}: {_pair_note(measured[-1])}", flush=True)
            _add_start(part, start, measured, options)
    return part


def _paced(options):
    """Return the programs that are timed beside the transfers: theirs, and ours if estimated."""
    size = options.schedule_size
    programs = {SESSION: session_worker(exported(size, trunk=TRUNK))}
    if options.estimate_tutorial:
        programs[TUTORIAL] = ours(size, "float32", trunk=TRUNK)
    return programs


# ---------------------------------------------------------------------------- one pair


def _measure_pair(pair, start, options, timings):
    name = pair.replace(":", "_")

    def transfer(kind, iterations, **how):
        picture = folder("schedule") / f"{start}_{name}_{kind}.png"
        return _transfer(pair, options.schedule_size, start, picture, iterations, **how)

    measured = Pair(f"from {start}, {pair}", _tutorial(transfer, options, timings))
    measured.session_seconds = _all_of_it(timings.get(SESSION), options)
    last = _try_budgets(measured, transfer, options)
    measured.precision_off = _precision_off(measured, transfer, options.tutorial_iterations)
    both = folder("schedule") / f"{start}_{name}_both.png"
    _side_by_side([measured.tutorial.picture, measured.fast[last].picture], both)
    return measured


def _try_budgets(pair, transfer, options):
    """Run the fast schedule until a budget is enough, and once with as many as the tutorial.

    Returns
    -------
    int
        The last budget tried.
    """

    def fast(iterations):
        run = transfer(f"fast{iterations}", iterations, schedule="fast", precision="auto")
        pair.fast[iterations] = run
        return run

    for iterations in options.budgets:
        if fast(iterations).loss <= pair.tutorial.loss:
            pair.reached = iterations
            break
    if options.tutorial_iterations not in pair.fast:
        fast(options.tutorial_iterations)
    return iterations


def _precision_off(pair, transfer, iterations):
    """Return by which share the loss of precision "auto" is off that of a float32 run.

    After as many iterations as the tutorial's: on the steep part of the way two runs may be an
    iteration apart.
    """
    exact = transfer("float32", iterations, schedule="fast", precision="float32")
    return pair.fast[iterations].loss / exact.loss - 1


def _all_of_it(times, options):
    """Reckon the time of all the tutorial's iterations from the last round, if there is one.

    The startup of our worker has the first of them in it: that is one in hundreds.
    """
    if times is None:
        return None
    return times.startup + options.tutorial_iterations * times.seconds[-1]


def _tutorial(transfer, options, timings):
    """Run the tutorial; or run it in mixed for its loss, and reckon its time from a round."""
    count = options.tutorial_iterations
    if not options.estimate_tutorial:
        return transfer("tutorial", count, schedule="tutorial", precision="float32")
    run = transfer("tutorial", count, schedule="tutorial", precision="mixed")
    run.seconds = _all_of_it(timings[TUTORIAL], options)
    return run


def _transfer(pair, size, start, picture, iterations, **how):
    """Do one transfer in a process of its own."""
    content, style = pair.split(":")
    with Worker(picture.stem, "benchmarks.programs.transfer", {"trunk": TRUNK}) as worker:
        worker.ready()
        answer = worker.ask(
            picture=str(picture),
            content=f"images/content/{content}.jpg",
            style=f"images/style/{style}.jpg",
            size=size,
            start=start,
            iterations=iterations,
            **how,
        )
    return Run(answer["seconds"], answer["loss"], str(picture), iterations)


def _side_by_side(paths, target):
    """Save pictures of one size as one, left to right."""
    pictures = [Image.open(path) for path in paths]
    width, height = pictures[0].size
    sheet = Image.new("RGB", (width * len(pictures), height))
    for place, picture in enumerate(pictures):
        sheet.paste(picture, (place * width, 0))
    sheet.save(target)


# ---------------------------------------------------------------------------- figures


def _add_start(part, start, pairs, options):
    """Add each pair's ratio, and what the bars are about: medians over the pairs."""
    part.raw[start] = [asdict(pair) for pair in pairs]
    for pair in pairs:
        part.add(pair.name, _time_ratio(pair), "x", note=_pair_note(pair))
    median = statistics.median
    part.add(
        f"from {start}, median: time / tutorial's, same engine",
        median(map(_time_ratio, pairs)),
        "x",
        STARTS[start],
    )
    if all(pair.session_seconds for pair in pairs):
        against = [_time_ratio(pair, pair.session_seconds) for pair in pairs]
        part.add(f"from {start}, median: time / {SESSION}", median(against), "x")
    count = options.tutorial_iterations
    losses = [pair.fast[count].loss / pair.tutorial.loss for pair in pairs]
    bar = bars.LOSS_AFTER_AS_MANY
    part.add(f"from {start}, median: loss of {count} fast / tutorial's", median(losses), "x", bar)
    off = [abs(pair.precision_off) for pair in pairs]
    note = f"at worst {max(off):.4f}"
    part.add(
        f"from {start}, median: |auto / float32 loss - 1|",
        median(off),
        "",
        bars.MIXED_LOSS_OFF,
        note,
    )


def _time_ratio(pair, seconds=None):
    if pair.reached is None:
        return math.inf
    return pair.fast[pair.reached].seconds / (seconds or pair.tutorial.seconds)


def _pair_note(pair):
    tutorial = f"tutorial {pair.tutorial.seconds:.1f} s to {pair.tutorial.loss:.5g}"
    if pair.reached is None:
        least = min(run.loss for run in pair.fast.values())
        return f"{tutorial}; not reached, least {least:.5g}"
    run = pair.fast[pair.reached]
    return f"{tutorial}; {run.iterations} fast {run.seconds:.1f} s to {run.loss:.5g}"
