"""Record connections to other machines; Python imports this module at startup if it is on the path.

`test_page` runs the app with it. Each host is appended to the file named by $NST_TF_ASKED.
"""

import os
import socket

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1", "0.0.0.0", None)


def _record(host):
    with open(os.environ["NST_TF_ASKED"], "a", encoding="utf-8") as file:
        file.write(f"{host}\n")


def _recorded(function, host_of):
    def wrapper(*args, **kwargs):
        host = host_of(args)
        if host not in LOCAL_HOSTS:
            _record(host)
        return function(*args, **kwargs)

    return wrapper


def _host(args):
    address = args[1]
    return address[0] if isinstance(address, tuple) else None  # a path: a local socket


socket.getaddrinfo = _recorded(socket.getaddrinfo, lambda args: args[0])
socket.socket.connect = _recorded(socket.socket.connect, _host)
socket.socket.connect_ex = _recorded(socket.socket.connect_ex, _host)
