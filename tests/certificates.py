"""Authorities and certificates for servers on loopback, made afresh for each run of the tests."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Certificate:
    """Where a certificate and its key lie, both PEM."""

    file: Path
    key_file: Path


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates; `file` is what a client trusts."""

    file: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def new_authority(folder: Path, name: str = "ca") -> Authority:
    """An authority of its own, its certificate in `folder`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named(f"Test authority {name}")
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = _builder(subject, subject, key.public_key(), timedelta(days=2))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())
    file = folder / f"{name}.pem"
    file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    return Authority(file, signed, key)


def new_certificate(
    folder: Path,
    authority: Authority,
    name: str,
    *,
    names: tuple[str, ...] = (),
    addresses: tuple[str, ...] = (),
    is_expired: bool = False,
) -> Certificate:
    """A certificate for a server's DNS names and addresses, or for a client called `name`."""
    key = ec.generate_private_key(ec.SECP256R1())
    life = timedelta(days=-1) if is_expired else timedelta(days=2)
    builder = _builder(_named(name), authority.certificate.subject, key.public_key(), life)
    alternatives: list[x509.GeneralName] = [x509.DNSName(one) for one in names]
    alternatives += [x509.IPAddress(ipaddress.ip_address(one)) for one in addresses]
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    public = authority.key.public_key()
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
    builder = builder.add_extension(signer, critical=False)
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    signed = builder.sign(authority.key, hashes.SHA256())
    made.file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    made.key_file.touch(mode=0o600)
    made.key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, life: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=3))
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
