"""Who logs in to a drop zone beyond the workspace, one model a kind of zone."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator
from pydantic import model_validator as check_model

from schemas.network.loopback import is_loopback
from schemas.source_file.columns import Strict
from schemas.source_file.secrets import Secret

_HOST_KEY = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?|[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?")


def _check_address(written: str) -> str:
    """The address of a store; ValueError where it is none."""
    if not re.fullmatch(r"https?://[^\s/?#@]+/?", written):
        raise ValueError("write https:// and the host, or host:port")
    return written


def _check_azure_address(written: str) -> str:
    """Likewise, with a path behind it where an emulator has the account there."""
    if not re.fullmatch(r"https?://[^\s?#@]+", written):
        raise ValueError("write https:// and the host, or host:port")
    return written.rstrip("/")


Address = Annotated[str, AfterValidator(_check_address)]
AzureAddress = Annotated[str, AfterValidator(_check_azure_address)]


class S3Zone(Strict):
    """A bucket of S3, or of a store that speaks like it; URLs are `s3://BUCKET/KEY`."""

    access_key_id: str | None = Field(
        None,
        min_length=1,
        description="Without it: AWS's own variables of the environment, or the machine's role.",
    )
    secret_access_key: Secret | None = None
    session_token: Secret | None = Field(None, description="With a key that is lent for a time.")
    region: str | None = Field(None, min_length=1, description="The bucket's region.")
    endpoint: Address | None = Field(None, description="The address of a store that is not AWS's.")
    ca_file: str | None = Field(
        None, min_length=1, description="The CA certificates of such a store, besides the usual."
    )
    allow_http: bool = Field(
        False, description="An endpoint without TLS, which is else taken on loopback only."
    )

    @check_model(mode="after")
    def _check_pair(self) -> "S3Zone":
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("access_key_id and secret_access_key go together")
        if self.session_token is not None and self.access_key_id is None:
            raise ValueError("session_token goes with access_key_id")
        parts = urlsplit(self.endpoint or "")
        if parts.scheme == "http" and not (self.allow_http or is_loopback(parts.hostname or "")):
            raise ValueError("endpoint is not encrypted: write https, or allow_http: true")
        return self


class GcsZone(Strict):
    """A bucket of Google Cloud Storage; URLs are `gs://BUCKET/KEY`."""

    service_account: Secret | None = Field(
        None,
        description="The account's JSON key. Without it: Google's own variables, or the machine's.",
    )
    endpoint: Address | None = Field(None, description="Another address, over TLS.")


class AzureZone(Strict):
    """A container of Azure Blob Storage; URLs are `az://CONTAINER/BLOB`."""

    account_name: str = Field(min_length=1, description="The storage account.")
    account_key: Secret | None = Field(
        None,
        description="Without it and `sas`: Azure's own variables, or the machine's identity.",
    )
    sas: Secret | None = Field(None, description="A shared access signature in place of the key.")
    endpoint: AzureAddress | None = Field(None, description="Another address, over TLS.")

    @check_model(mode="after")
    def _check_one_key(self) -> "AzureZone":
        if self.account_key is not None and self.sas is not None:
            raise ValueError("give account_key or sas, one of the two")
        return self


class SftpZone(Strict):
    """An SFTP server; URLs are `sftp://USER@HOST:PORT/PATH`, `/~/` is the user's own folder."""

    username: str | None = Field(
        None, min_length=1, description="Who logs in, where the URL does not say it."
    )
    password: Secret | None = None
    private_key: Secret | None = Field(None, description="A private key in place of a password.")
    passphrase: Secret | None = Field(None, description="What the private key is locked with.")
    known_hosts: str | None = Field(
        None, min_length=1, description="A file of host keys, in OpenSSH's form."
    )
    host_key: str | None = Field(
        None,
        description="The server's public key, or its fingerprint `SHA256:…`, in place of a file.",
    )

    @field_validator("host_key")
    @classmethod
    def _check_host_key(cls, written: str | None) -> str | None:
        if written is not None and not _HOST_KEY.fullmatch(written):
            raise ValueError(
                "write the server's public key, ssh-ed25519 AAAA…, or its fingerprint SHA256:…"
            )
        return written

    @check_model(mode="after")
    def _check_who_is_who(self) -> "SftpZone":
        if (self.known_hosts is None) == (self.host_key is None):
            raise ValueError("say how the server is known: known_hosts or host_key, one of the two")
        if (self.password is None) == (self.private_key is None):
            raise ValueError("say how to log in: password or private_key, one of the two")
        if self.passphrase is not None and self.private_key is None:
            raise ValueError("passphrase goes with private_key")
        return self


class HttpsZone(Strict):
    """A web server; one address, `https://HOST/PATH`, and no pattern."""

    token: Secret | None = Field(None, description="Sent as a bearer token.")
    username: str | None = Field(None, min_length=1, description="For basic authentication.")
    password: Secret | None = None
    ca_file: str | None = Field(
        None, min_length=1, description="The CA certificates to trust, in place of the usual."
    )
    allow_http: bool = Field(
        False, description="An address without TLS, which is else taken on loopback only."
    )

    @check_model(mode="after")
    def _check_one_way_in(self) -> "HttpsZone":
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together")
        if self.token is not None and self.username is not None:
            raise ValueError("give token, or username and password, one of the two")
        return self
