"""What a connection to a directory binds with, as ldap3 takes it."""

import importlib
from typing import Any

from ldap3 import ANONYMOUS, DIGEST_MD5, EXTERNAL, KERBEROS, PLAIN, SASL, SIMPLE

from extractors.optional_parts import install_extra, loaded
from schemas.directory_sources import DirectoryServer
from schemas.secrets import Resolve


def credentials_of(source: DirectoryServer, resolve: Resolve) -> dict[str, Any]:
    """What ldap3 binds with. DIGEST-MD5 and PLAIN take a plain name, GSSAPI the host's own."""
    password = resolve(source.password).get_secret_value() if source.password else None
    match source.authentication:
        case "anonymous":
            return {"authentication": ANONYMOUS}
        case "simple":
            return {"authentication": SIMPLE, "user": source.username, "password": password}
        case "plain":
            sasl: Any = (None, source.username, password)
            return {"authentication": SASL, "sasl_mechanism": PLAIN, "sasl_credentials": sasl}
        case "digest-md5":
            sasl = (None, source.username, password, None)
            return {"authentication": SASL, "sasl_mechanism": DIGEST_MD5, "sasl_credentials": sasl}
        case "external":
            return {"authentication": SASL, "sasl_mechanism": EXTERNAL, "sasl_credentials": ""}
        case "gssapi":
            loaded(
                lambda: importlib.import_module("gssapi"),
                "source.authentication: gssapi",
                f"{install_extra('kerberos')}, after gcc, python3-dev and libkrb5-dev",
            )
            return {
                "authentication": SASL,
                "sasl_mechanism": KERBEROS,
                "user": source.username,
            }
