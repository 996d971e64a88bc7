"""Pages that show runs: one about each, and an index of many.

`render.py` makes them from what `rundir/record.py` reads, by the templates in this folder.
A page is one file: pictures, style and script are inside, and nothing is fetched from elsewhere.
"""
