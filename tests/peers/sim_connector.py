"""``python -m tests.peers.sim_connector``: a connector process like the real one, with a scripted session."""

from __future__ import annotations

import sys

from app.connector.pipes import claim_stdout


def main() -> int:
    descriptor = claim_stdout()
    from app.connector.main import run
    from tests.peers import sim_session

    sim_session.frames_descriptor = descriptor
    return run(descriptor, sim_session.SimSession, sim_session.discover)


if __name__ == "__main__":
    sys.exit(main())
