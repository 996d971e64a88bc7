"""The shape of the house: imports run one way, public names are documented, leaves are light."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import nst_tf

ROOT = Path(__file__).resolve().parents[1]

# From the ground up: a module imports only from storeys below its own.
STOREYS = [
    ["errors", "files", "console", "kept", "npz", "weightfiles"],
    ["images", "losses", "windows", "samples", "devices"],
    ["color", "frames", "trunks", "optimizers", "precision"],
    ["config", "style", "masks", "passes"],
    ["presets", "scales", "memory"],
    ["terms", "objective", "descent"],
    ["tasks"],
    ["transfer"],
    ["callbacks", "checkpoints", "plots", "inputs", "experiments"],
    ["pages", "timelapse"],
    ["jobs", "cli", "watch"],
    ["run", "grid", "weights", "lessons", "report", "sidebyside"],
    ["doctor", "batch"],
    ["app", "__main__"],
]
LEVEL = {module: level for level, modules in enumerate(STOREYS) for module in modules}


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
            if imported != module:  # within trunks/ they may know each other
                assert LEVEL[imported] < LEVEL[module], f"{file.name} imports {imported}"


def test_every_module_has_its_storey():
    modules = {path.name.removesuffix(".py") for path in (ROOT / "nst_tf").iterdir()}
    assert modules - {"__init__", "__pycache__"} == set(LEVEL)


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
