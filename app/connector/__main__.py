"""``python -m app.connector``: the connector process. Standard output is taken away before anything else is imported."""

from __future__ import annotations

import sys


def main() -> int:
    from app.connector.pipes import claim_stdout

    frames = claim_stdout()
    from app.connector.main import run
    from app.drivers import discover, open_session

    return run(frames, open_session, discover)


if __name__ == "__main__":
    sys.exit(main())
