"""The benchmark: `python -m benchmarks --help`. Only its programs import a framework."""
