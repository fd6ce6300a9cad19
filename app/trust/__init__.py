"""Certificates: our own, whose are trusted here, and what is wrong with one that a server sends.

``facts``    what a certificate says                      ``store``   the folder: own, users', trusted, refused, issuers, CRLs
``judge``    whether a server's chain is accepted, and why not        ``refusal`` in the same module makes the error of it
``own``      our application certificate                  ``users``   certificates of people (X.509 user identities)
``chain``, ``revocation``, ``names``                      parts of judging
"""
