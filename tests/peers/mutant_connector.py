"""A connector that sends mutants: ``python -I -S mutant_connector.py CORPUS PLACE BATCH``. Imports next to nothing: it starts at once.

``CORPUS`` holds frames, each behind its length (``<I``): how many are good, the good ones, then the mutants. ``PLACE`` and the last digit
of the URL that it is asked to open name a file with the numbers of the first mutant to send and of the first not to send, as text. After
the good frames and ``BATCH`` mutants it waits to be ended. What else it is sent it reads and forgets.
"""

import os
import sys


def frames(path: str) -> list[bytes]:
    with open(path, "rb") as corpus:  # noqa: PTH123  pathlib would be half of the start
        data = corpus.read()
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        found.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return found


def main() -> None:
    corpus, place, batch = sys.argv[1:]
    good, *rest = frames(corpus)
    count = int(good)
    request = os.read(0, 1 << 16)
    while b"sim://" not in request:
        request += os.read(0, 1 << 16)
    digit = request.split(b"sim://")[1][:1].decode()
    with open(place + digit, encoding="ascii") as text:  # noqa: PTH123
        first, end = map(int, text.read().split())
    mutants = rest[count:][first : min(first + int(batch), end)]
    for frame in rest[:count] + mutants:
        left = memoryview(frame)
        while left:
            left = left[os.write(1, left) :]
    os.close(1)
    while os.read(0, 1 << 16):
        pass


if __name__ == "__main__":
    try:
        main()
    except OSError:
        os._exit(1)
