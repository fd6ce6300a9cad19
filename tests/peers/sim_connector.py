"""``python -m tests.peers.sim_connector``: a connector process like the real one, with a scripted session."""

from __future__ import annotations

import sys

from app.connector.pipes import claim_stdout


def main() -> int:
    descriptor = claim_stdout()
    from app.connector.main import run
    from app.drivers import questions
    from tests.peers import sim_session

    questions.questions = lambda: {"sim.echo": sim_session.Echo, "sim.echo_anywhere": sim_session.EchoAnywhere}  # type: ignore[assignment]  # the script's instead of the drivers'

    sim_session.frames_descriptor = descriptor
    return run(descriptor, sim_session.SimSession, sim_session.discover)


if __name__ == "__main__":
    sys.exit(main())
