# `make run` and `make test` do everything, on a fresh machine too. See README.md.

VENV ?= .venv
BIN := $(VENV)/bin
# Python compiles what it imports, when it does; not all of every package beforehand. It must be
# allowed to save that: otherwise, each process takes twice as long to import TensorFlow.
unexport PYTHONDONTWRITEBYTECODE
INSTALL = $(BIN)/python -m pip install --quiet --no-compile
# The first Python that TensorFlow has wheels for; `make PYTHON=... run` chooses another.
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,\
	$(shell $(p) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	2>/dev/null && echo $(p))))

.PHONY: run app docs test lint bench notebooks build-notebooks course test-notebooks test-docs test-cluster test-app test-slow test-long test-most test-all clean

run: $(VENV)/installed  ## paint the sample photograph
	$(BIN)/python -m nst_tf.run

app: $(VENV)/installed-app  ## the page in the browser
	$(BIN)/python -m nst_tf.app --open

docs: $(VENV)/installed-docs  ## the site: these pages and the API reference
	$(BIN)/sphinx-build -q -W --keep-going -c docs . build/site
	@echo build/site/docs/index.html

test: $(VENV)/installed-test lint  ## format, lint and tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

notebooks: $(VENV)/installed  ## open the lessons
	$(BIN)/python -m jupyterlab notebooks

build-notebooks: $(VENV)/installed-teach  ## make the notebooks anew from notebooks/src, and run them
	$(BIN)/python notebooks/build.py

course: $(VENV)/installed-teach  ## the assignment for students, its solution for the teacher
	$(BIN)/python notebooks/course/build.py

test-notebooks: $(VENV)/installed-test $(VENV)/installed-teach  ## lessons, assignment, grader
	$(BIN)/python -m pytest -n 2 --dist loadscope notebooks/tests
	$(BIN)/python -m pytest notebooks/course/tests

test-docs: $(VENV)/installed-test  ## every command and Python block of the documentation
	$(BIN)/python -m pytest -n 2 -m docs tests/test_docs.py

test-cluster: $(VENV)/installed-test $(VENV)/installed-cluster  ## batches on a Ray cluster
	$(BIN)/python -m pytest -m cluster

test-app: $(VENV)/installed-test-app  ## the page, in Chromium
	$(BIN)/python -m pytest -m "app and not long"

test-slow: $(VENV)/installed-test  ## the slowest of the usual tests
	$(BIN)/python -m pytest -n 2 -m slow

test-long: $(VENV)/installed-test $(VENV)/installed-test-app  ## kills, signals, damaged files, a class
	$(BIN)/python -m pytest -m long

# One run of pytest for the first three: the processes start once, and end together.
test-all: $(VENV)/installed-all lint test-most test-notebooks test-cluster test-app  ## everything but test-long

test-most: $(VENV)/installed-test  ## test, test-slow and test-docs in one
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not long and not cluster and not app"

bench: $(VENV)/installed  ## measure, beside peers where they can be installed: docs/performance.md
	$(BIN)/python -m benchmarks --estimate-tutorial

$(VENV)/installed: requirements.txt | $(BIN)/python
	$(INSTALL) -r requirements.txt
	touch $@

$(VENV)/installed-test: requirements-test.txt requirements.txt | $(BIN)/python
	$(INSTALL) -r requirements-test.txt
	touch $@

$(VENV)/installed-teach: requirements-teach.txt requirements.txt | $(BIN)/python
	$(INSTALL) -r requirements-teach.txt
	touch $@

$(VENV)/installed-cluster: requirements-cluster.txt requirements.txt | $(BIN)/python
	$(INSTALL) -r requirements-cluster.txt
	touch $@

$(VENV)/installed-docs: requirements-docs.txt requirements.txt | $(BIN)/python
	$(INSTALL) -r requirements-docs.txt
	touch $@

$(VENV)/installed-app: requirements-app.txt requirements.txt | $(BIN)/python
	$(INSTALL) -r requirements-app.txt
	touch $@

$(VENV)/installed-test-app: requirements-test-app.txt requirements-app.txt requirements-test.txt | $(BIN)/python
	$(INSTALL) -r requirements-test-app.txt
	touch $@

# All of them by one run of pip, for test-all.
KINDS := test teach cluster app test-app
$(VENV)/installed-all: requirements.txt $(KINDS:%=requirements-%.txt) | $(BIN)/python
	$(INSTALL) $(KINDS:%=-r requirements-%.txt)
	touch $@ $(VENV)/installed $(KINDS:%=$(VENV)/installed-%)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "nst_tf needs Python 3.11, 3.12 or 3.13;" \
		"name it with: make PYTHON=/path/to/python3.12 run"; exit 2; }
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache
