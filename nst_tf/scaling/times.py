"""Times in words, and the time left of a run, learned while it runs."""

from nst_tf.scaling.levels import Level, work_left

FEW = 4  # iterations of a level after which its pace is known
STEPS = 10  # the newest ones of a level, from which its pace comes at least
UNKNOWN = 1.25  # factor of a range around a time that is not known well


class TimeLeft:
    """Learns the pace of each level of a run from its steps.

    The first iteration of a level, which may trace functions, does not count where there are
    others. Of many iterations, the newer half counts: other programs come and go. Later levels are
    expected to take as long for each pixel as the newest one that was measured. Call it with every
    `Step`; one object serves several runs, one after another.

    Attributes
    ----------
    seconds : float or None
        Time left after the last step; None while nothing was measured.
    known : bool
        Whether some iterations of the present level were measured, or a run is resumed.
    """

    def __init__(self):
        self._begin()

    def __call__(self, step):
        """Learn from a step; return "4:05 left", a range while it is not known, or ""."""
        levels = step.levels or [Level((1, 1), step.iterations)]
        self._learn(step, levels)
        if step.last:
            self.seconds, self.known = 0.0, True
        elif self.pace is not None:
            self.seconds = self.pace * work_left(levels, step.iteration)
        if self.seconds is None:
            return ""
        text = in_words(self.seconds) if self.known else in_range(self.seconds)
        return f"{text} left"

    def _begin(self):
        self.seconds, self.known = None, False
        self.iteration, self.level = -1, None
        self.pace, self.seen = None, []  # seconds a pixel; (iteration, seconds) of this level

    def _learn(self, step, levels):
        if step.iteration <= self.iteration:  # another run
            self._begin()
        if self.level is None and step.iteration:  # resumed: its average so far, without the pause
            done = work_left(levels, 0) - work_left(levels, step.iteration)
            self.pace, self.known = step.seconds / max(done, 1), True
        level = level_at(levels, step.iteration)
        if level != self.level:
            self.known = self.known and self.level is None
            self.level, self.seen = level, []
        self.iteration = step.iteration
        self.seen.append((step.iteration, step.seconds))
        self._measure(level)

    def _measure(self, level):
        iteration, seconds = self.seen[-1]
        steps, made = len(self.seen) - 1, iteration - self.seen[0][0]
        if made >= FEW or (steps > 1 and self.pace is None):
            steps = min(max(STEPS, steps // 2), max(steps - 1, 1))  # not the first, if possible
            since, then = self.seen[-1 - steps]
            height, width = level.size
            self.pace = (seconds - then) / ((iteration - since) * height * width)
            self.known = made >= FEW


def level_at(levels, iteration):
    """Return the level that the update after so many iterations belongs to."""
    for level in levels:
        if iteration < level.iterations:
            return level
        iteration -= level.iterations
    return levels[-1]


def in_words(seconds):
    """Return a time in seconds as text: 4:05 or, from one hour on, 1:04:05."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def in_range(seconds):
    """Return a time that is not known well as text: "3:20 to 5:10", in rounded numbers."""
    ends = [in_words(rounded(end)) for end in (seconds / UNKNOWN, seconds * UNKNOWN)]
    return " to ".join(dict.fromkeys(ends))


def rounded(seconds):
    """Return seconds as precise as a guess may be: to 5 s, 10 s from a minute, 60 s from ten."""
    grid = next(grid for start, grid in ((600, 60), (60, 10), (20, 5), (0, 1)) if seconds >= start)
    return grid * round(seconds / grid)
