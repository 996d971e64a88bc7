"""What nbgrader needs to know; `build.py` copies it to the folder of the course."""

c = get_config()  # noqa: F821  (nbgrader provides it)
c.CourseDirectory.course_id = "nst"
# Any other file in source/ would be released, with the solutions in it.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "*.py"]
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError()"}
c.ClearSolutions.text_stub = "Your answers:"
# Seconds of a cell: a loop that never ends costs its question. The first cell imports
# TensorFlow, which is slow on a busy machine.
c.ExecutePreprocessor.timeout = 60
c.ExecutePreprocessor.interrupt_on_timeout = True
# On a busy machine nbgrader would give up a whole submission if a kernel is slow to report "done".
c.ExecutePreprocessor.startup_timeout = 300
c.ExecutePreprocessor.iopub_timeout = 120
