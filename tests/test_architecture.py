"""The shape of the house: imports run one way, public names are documented, leaves are light."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import nst_tf

ROOT = Path(__file__).resolve().parents[1]

# From the ground up: a module imports only from layers below its own, and within its layer only
# from those before it.
LAYERS = [
    ["errors", "files", "console", "npz"],
    ["image", "models", "samples", "weights"],
    ["config", "schedules", "presets", "objective", "optim"],
    ["scaling", "transfer", "callbacks", "experiments"],
    ["plots", "cli", "rundir", "report", "jobs"],
    ["run", "grid", "doctor", "notebook", "batch", "app", "__main__"],
]
COMMANDS = LAYERS[-1]
PLACE = {
    module: number for number, module in enumerate(module for layer in LAYERS for module in layer)
}


def imports(file):
    """Return the modules of nst_tf that a file imports, by their first name."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.startswith("nst_tf."):
                yield name.split(".")[1]


def test_imports_run_one_way():
    for file in (ROOT / "nst_tf").rglob("*.py"):
        module = file.relative_to(ROOT / "nst_tf").parts[0].removesuffix(".py")
        if module == "__init__":
            continue
        for imported in imports(file):
            if imported != module:  # within a folder they may know each other
                assert PLACE[imported] < PLACE[module], f"{file.name} imports {imported}"


def test_the_commands_do_not_import_each_other():
    for file in (ROOT / "nst_tf").rglob("*.py"):
        module = file.relative_to(ROOT / "nst_tf").parts[0].removesuffix(".py")
        others = set(COMMANDS) - {module}
        if module in COMMANDS and module != "__main__":  # which is `run`
            assert not others & set(imports(file)), file


def test_every_module_has_its_layer():
    modules = {path.name.removesuffix(".py") for path in (ROOT / "nst_tf").iterdir()}
    assert modules - {"__init__", "__init__.pyi", "__pycache__"} == set(PLACE)


def test_every_public_name_exists_and_is_documented():
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
                said = ast.get_docstring(node, clean=False) is not None
                first = node.body[0].end_lineno + 1 if said else node.lineno
                assert node.end_lineno - first + 1 <= 45, f"{file.name}: {node.name}"
