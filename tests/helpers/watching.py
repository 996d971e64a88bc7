"""Ask for a page twice a second until a line comes: `python tests/helpers/watching.py URL`.

Prints the seconds that each answer took, as JSON. It is a separate process, because threads of a
test that drives a browser wait for each other.
"""

import json
import sys
import threading
import time
import urllib.request

PAUSE = 0.5


def main(url):
    ended, seconds = threading.Event(), []
    threading.Thread(target=lambda: (sys.stdin.readline(), ended.set()), daemon=True).start()
    while not ended.wait(PAUSE):
        begun = time.monotonic()
        with urllib.request.urlopen(url, timeout=60) as answer:
            answer.read()
        seconds.append(time.monotonic() - begun)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(sys.argv[1])
