"""What keeps us out before a database gives a code: TLS, certificates, Kerberos, no password.

Drivers have texts of their own for it (libpq, OpenSSL, PyMySQL, Connector/C, Java), which are
looked at here and never shown: they quote names and paths.
"""

import re

_TLS = "no secured connection: "
_ELSE = "(or the word for it in the url or the dsn)"
CERTIFICATE_WANTED = (
    f"{_TLS}the server wants a certificate of ours that it trusts: tls: {{certificate: …, "
    f"key: …}} {_ELSE}"
)
_REFUSALS = {
    r"authentication method requirement .?gss": (
        "the server asks for something else than a Kerberos ticket: write `gss` for this account "
        "in its pg_hba.conf, or leave `kerberos` out"
    ),
    r"server .*not found in kerberos database": (
        "Kerberos knows no such service: connect by the host's name in the server's principal, "
        "postgres/HOST"
    ),
    r"kerberos credentials|credentials? cache|ticket expired": (
        "no Kerberos ticket: get one with kinit, as the user this program runs as"
    ),
    r"GSSAPI": "Kerberos does not let us in: look at klist and at the server's log",
    r"password supplied": (
        "the login is refused: the server asks for a password: name `password` or `token`"
    ),
    r"package is required for|authentication plugin": (
        "the login is refused: the account logs in by a plugin that the driver lacks: pip install "
        "'pymysql[rsa,ed25519]', or give it another"
    ),
    r"private key|key values mismatch": (
        f"{_TLS}our private key cannot be used: it must fit the certificate, and be for its owner "
        "to read alone (chmod 600)"
    ),
    (
        r"valid client certificate|alert (unknown ca|bad certificate|certificate required|"
        r"certificate unknown|unsupported certificate|certificate expired)"
    ): CERTIFICATE_WANTED,
    (
        r"does not match host ?name|hostname .* not be verified|host ?name mismatch|"
        r"IP address mismatch|certificate is not valid for|doesn.t (match|correspond)"
    ): f"{_TLS}the server's certificate is for another host: connect by the name that is in it",
    r"certificate (has expired|is not yet valid)": (
        f"{_TLS}the server's certificate is not valid at this time: have it renewed"
    ),
    r"pg_hba\.conf.*(no encryption|SSL off)|insecure transport": (
        f"{_TLS}the server wants one and is offered none: take `mode: none` {_ELSE} out, "
        "or get a Kerberos ticket with kinit where it encrypts by that"
    ),
    r"TLS/SSL is required for authentication": (
        f"{_TLS}a password is sent over TLS alone: say it in the url (Trino: ?http_scheme=https)"
    ),
    r"support SSL|SSL is required|doesn.t support": (
        f"{_TLS}the server has none: tls: {{mode: none}} {_ELSE}, if that is meant"
    ),
    r"certifi|SslCert|sslmode|unsupported protocol|wrong version number|handshake[_ ]failure": (
        f"{_TLS}the server's certificate is not trusted: name its authority, tls: {{ca_file: …}} "
        f"{_ELSE}, or {{mode: unverified}} if that is meant"
    ),
}
"""Patterns of a driver's text, the more exact ones first."""


def why_no_login(text: str) -> str | None:
    """Returns what a driver's text about a failed login means, and what to do; None where unknown.

    None of these goes away by trying again.
    """
    for pattern, meaning in _REFUSALS.items():
        if re.search(pattern, text, re.IGNORECASE | re.DOTALL):
            return meaning
    return None
