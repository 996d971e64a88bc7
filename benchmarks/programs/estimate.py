"""Worker: whole runs, each with the estimate that is told before it."""

from benchmarks import ours
from benchmarks.channel import arguments, serve


def main():
    """Answer each request, the settings of a job, by the estimate and the seconds taken."""
    shared = arguments()
    serve(lambda **knobs: ours.estimated_and_taken(**shared, **knobs))


if __name__ == "__main__":
    main()
