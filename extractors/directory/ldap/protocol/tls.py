"""TLS to a directory: the certificate and the host's name verified by Python's own `ssl`."""

import ssl
from pathlib import Path
from typing import Any

from ldap3 import Tls

from schemas.errors import ConfigError, raise_as
from schemas.source_file.kinds.directory_source import DirectoryServer


class VerifiedTls(Tls):  # type: ignore[misc] # ldap3 has no types
    """ldap3's TLS with a context of Python's own, which knows addresses as well as names.

    Attributes:
        problem: what went wrong in the handshake, for a person; None where nothing did. ldap3
            makes its errors anew, and loses it.
    """

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        super().__init__(validate=context.verify_mode)
        self._context = context
        self._host = host
        self.problem: str | None = None

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:  # noqa: ANN401, FBT001, FBT002, RUF100 - ldap3's signature
        """Secures the connection's socket; certificate and name are checked in the handshake."""
        try:
            connection.socket = self._context.wrap_socket(
                connection.socket, do_handshake_on_connect=do_handshake, server_hostname=self._host
            )
        except ssl.SSLCertVerificationError as error:
            self.problem = f"its certificate is not trusted: {error.verify_message.rstrip('.')}"
            raise
        except ssl.SSLError as error:
            self.problem = f"TLS failed: {error.reason or 'no reason given'}"
            raise


def to_context(source: DirectoryServer, workspace: Path) -> ssl.SSLContext:
    """Returns a context that trusts the system's authorities or `ca_file`'s; TLS 1.2 or newer.

    Raises:
        ConfigError: a file of certificates or a key cannot be read or is none.
    """
    ca_file = _path(workspace, source.ca_file)
    context = raise_as(
        lambda: ssl.create_default_context(cafile=ca_file),
        {OSError: lambda error: _unreadable("source.ca_file", f"{source.ca_file}", error)},
    )
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not source.validate_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = _path(workspace, source.certificate), _path(workspace, source.key)
    if certificate is not None:
        names = f"{source.certificate}, {source.key}"
        raise_as(
            lambda: context.load_cert_chain(certificate, key),
            {OSError: lambda error: _unreadable("source.certificate", names, error)},
        )
    return context


def _path(workspace: Path, name: str | None) -> str | None:
    return None if name is None else str(workspace / Path(name).expanduser())


def _unreadable(key: str, names: str, error: OSError) -> ConfigError:
    if isinstance(error, ssl.SSLError):
        reason = "not a certificate and key in PEM form that go together"
    else:
        reason = f"cannot be read: {error.strerror}"
    return ConfigError(f"{names}: {reason}", key=key)
