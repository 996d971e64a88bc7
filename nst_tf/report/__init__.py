"""HTML pages: a report for each run, and an index of several runs.

`render.py` renders the data of `rundir/record.py` with the templates in this folder.
A page is a single file: pictures, style and script are embedded, and nothing is fetched.
"""
