"""Python imports this at its start, where it is on the path: connections elsewhere are noted.

The page's program runs with it in `test_app`: what it would say to anybody is in the file that
$NST_TF_ASKED names.
"""

import os
import socket

HERE = ("127.0.0.1", "localhost", "::1", "0.0.0.0", None)


def _note(what):
    with open(os.environ["NST_TF_ASKED"], "a", encoding="utf-8") as file:
        file.write(f"{what}\n")


def _watched(function, host_of):
    def watched(*arguments, **options):
        host = host_of(arguments)
        if host not in HERE:
            _note(host)
        return function(*arguments, **options)

    return watched


def _host(arguments):
    address = arguments[1]
    return address[0] if isinstance(address, tuple) else None  # a path: a socket of this machine


socket.getaddrinfo = _watched(socket.getaddrinfo, lambda arguments: arguments[0])
socket.socket.connect = _watched(socket.socket.connect, _host)
socket.socket.connect_ex = _watched(socket.socket.connect_ex, _host)
