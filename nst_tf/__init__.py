"""nst_tf: neural style transfer in TensorFlow, function by function as the tutorials teach it.

`__init__.pyi` lists the public names. Each is loaded when it is first used, so that
``import nst_tf`` and a refused command line take milliseconds, not the seconds that TensorFlow
takes to start.
"""

import signal
import sys

_STARTING = sys.argv[:1] == ["-m"]
if _STARTING and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # A command is about to start: until it handles Ctrl-C itself, there is no traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from nst_tf.requirements import check_requirements  # noqa: E402

check_requirements(command=_STARTING)

import lazy_loader  # noqa: E402

from nst_tf.console import hushed  # noqa: E402

__version__ = "0.1.0"

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name):
    """Load a public name when it is first used."""
    if name not in __all__:
        raise AttributeError(f"module 'nst_tf' has no attribute {name!r}")
    with hushed():  # TensorFlow comes along with most of them
        return _load(name)
