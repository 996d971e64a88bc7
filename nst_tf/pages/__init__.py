"""Pages that show runs: one about each, and an index of many.

`records.py` reads a run's folder, `render.py` makes the pages from it and the templates beside it.
A page is one file: pictures, style and script are inside, and nothing is fetched from elsewhere.
"""

from nst_tf.pages.records import Record, read_record
from nst_tf.pages.render import INDEX, REPORT, write_index, write_report

__all__ = ["INDEX", "REPORT", "Record", "read_record", "write_index", "write_report"]
