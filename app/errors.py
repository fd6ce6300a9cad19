"""Errors that reach a person. Each says what, where, why, and what to do."""

from __future__ import annotations

from collections.abc import Sequence


class UserError(Exception):
    """A failure the user can act on; anything else is a bug and shows the crash dialog.

    Args:
        what: What did not happen, a sentence without a final period.
        where: The thing the user typed or selected: URL, tag, file and line.
        why: The cause, in the protocol's own words and code where there is one.
        fix: The next thing to try; empty only when there is nothing to try.
    """

    def __init__(self, what: str, *, where: str, why: str, fix: str = "") -> None:
        self.what, self.where, self.why, self.fix = what, where, why, fix
        super().__init__(f"{what} ({where}): {why}" + (f". {fix}" if fix else ""))


class EndpointError(UserError):
    """An endpoint refused, vanished or answered nonsense.

    Args:
        what, where, why, fix: As of every ``UserError``.
        code: What kind of trouble, where the program can do something about it; "" for any other:
            ``certificate`` the server's certificate is not accepted here, ``evidence`` is what it sent (DER, its own first);
            ``rejected`` the server does not accept our application certificate, ``evidence`` is ours (DER);
            ``secret`` a password or key is not known here, ``where`` is its reference;
            ``user`` the server does not accept user name, password or user certificate;
            ``identity`` another device answers at this address.
        evidence: Bytes that belong to ``code``.
        about: Text that belongs to ``code``: of ``certificate``, the application URI that the server states.
    """

    def __init__(self, what: str, *, where: str, why: str, fix: str = "", code: str = "", evidence: bytes = b"", about: str = "") -> None:
        self.code, self.evidence, self.about = code, evidence, about
        super().__init__(what, where=where, why=why, fix=fix)


class CollectedError(UserError):
    """Several problems found in one pass, so that a person mends them all at once."""

    def __init__(self, what: str, *, where: str, problems: Sequence[UserError], fix: str = "") -> None:
        self.problems = tuple(problems)
        why = "\n".join(f"{problem.where}: {problem.what}: {problem.why}" for problem in self.problems)
        super().__init__(what, where=where, why=why, fix=fix)
