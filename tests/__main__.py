import importlib
import os
import sys

from tests.steps.checkout import CHECKOUT

COMMANDS = {"test": "checks", "prove": "prove", "bench": "bench", "lock": "lock"}  # command: module in tests/steps


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in COMMANDS:
        print("usage: python3 run.py test|prove|bench|lock ...", file=sys.stderr)
        return 2
    os.chdir(CHECKOUT)
    # On Linux without a display and in CI alike; QT_QPA_PLATFORM=xcb shows the windows.
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    step = importlib.import_module(f"tests.steps.{COMMANDS[arguments[0]]}")
    code: int = step.main(arguments[1:])
    return code


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
