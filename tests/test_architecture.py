"""Tests of the package structure: import layers, docstrings, function length, plain runs."""

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

from pictures import make_picture

import nst_tf
from nst_tf.scaling import memory

ROOT = Path(__file__).resolve().parents[1]

# From bottom to top: a module imports only from lower layers and from modules before it in its own
# layer.
LAYERS = [
    ["requirements", "errors", "files", "suggestions", "console", "npz"],
    ["image", "models", "samples", "weights"],
    ["config", "schedules", "presets", "objective", "optim"],
    ["scaling", "transfer", "callbacks", "experiments"],
    ["plots", "cli", "rundir", "report", "jobs"],
    ["video"],
    ["run", "grid", "doctor", "notebook", "batch", "app", "__main__"],
]
COMMANDS = LAYERS[-1]
POSITION = {
    module: number for number, module in enumerate(module for layer in LAYERS for module in layer)
}


def imports(file):
    """Yield the top-level modules of nst_tf that a file imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.startswith("nst_tf."):
                yield name.split(".")[1]


def test_modules_import_only_from_lower_layers():
    for file in (ROOT / "nst_tf").rglob("*.py"):
        module = file.relative_to(ROOT / "nst_tf").parts[0].removesuffix(".py")
        if module == "__init__":
            continue
        for imported in imports(file):
            if imported != module:  # imports within a folder are allowed
                assert POSITION[imported] < POSITION[module], f"{file.name} imports {imported}"


def test_commands_do_not_import_each_other():
    for file in (ROOT / "nst_tf").rglob("*.py"):
        module = file.relative_to(ROOT / "nst_tf").parts[0].removesuffix(".py")
        others = set(COMMANDS) - {module}
        if module in COMMANDS and module != "__main__":  # imports `run`
            assert not others & set(imports(file)), file


def test_every_module_is_in_a_layer():
    modules = {path.name.removesuffix(".py") for path in (ROOT / "nst_tf").iterdir()}
    assert modules - {"__init__", "__init__.pyi", "__pycache__"} == set(POSITION)


def test_public_names_exist_and_have_docstrings():
    for name in nst_tf.__all__:
        value = getattr(nst_tf, name)
        if inspect.isfunction(value) or inspect.isclass(value):
            assert value.__doc__, name


def test_importing_the_package_does_not_start_tensorflow():
    code = "import nst_tf, nst_tf.run, nst_tf.weights, sys; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_only_plots_imports_matplotlib():
    for file in (ROOT / "nst_tf").rglob("*.py"):
        assert file.name == "plots.py" or "matplotlib" not in file.read_text(encoding="utf-8")


def test_no_function_is_longer_than_45_lines():
    for file in (ROOT / "nst_tf").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                has_docstring = ast.get_docstring(node, clean=False) is not None
                first_line = node.body[0].end_lineno + 1 if has_docstring else node.lineno
                assert node.end_lineno - first_line + 1 <= 45, f"{file.name}: {node.name}"


def test_plain_run_enters_few_files_and_functions(tiny_model):
    content = tiny_model.space.to_image(make_picture(48, 64))
    style = tiny_model.space.to_image(make_picture(40, 56, seed=1))

    def run():
        nst_tf.style_transfer(content, style, tiny_model, iterations=2)

    run()  # traces
    functions = entered(run)
    files = {file for file, _ in functions}
    assert len(files) <= 9, sorted(files)
    assert len(functions) <= 60, sorted(functions)


def test_plain_command_enters_few_files_and_functions(job, monkeypatch):
    # On a busy machine speeds differ, and the estimate is a range: that takes other functions.
    monkeypatch.setattr(memory, "convolution_speeds", lambda dtype: (1e11, 1e11, 1e11))
    plain = ("--preset", "devos", "--quiet", "--output")
    assert job(*plain, "warm") == 0  # traces
    functions = entered(lambda: job(*plain, "out"))
    files = {file for file, _ in functions}
    assert len(files) <= 48, sorted(files)
    assert len(functions) <= 282, sorted(functions)


def entered(call):
    """Return (file, function) of each function of the package that a call executes."""
    package, functions = str(ROOT / "nst_tf") + os.sep, set()

    def profile(frame, event, _):
        code = frame.f_code
        own = code.co_filename.startswith(package) and not code.co_name.startswith("<")
        if event == "call" and own:  # comprehensions and lambdas aside
            functions.add((code.co_filename.removeprefix(package), code.co_qualname))

    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(None)
    return functions
