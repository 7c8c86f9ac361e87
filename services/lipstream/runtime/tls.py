"""Mutual TLS between the gateway and the stages, where certificates are configured.

Both sides show a certificate of the same authority. Files are looked at again as connections are
made, so that certificates which are rotated on disk, by cert-manager for example, need no restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import grpc

from lipstream.errors import BadInput
from lipstream.runtime.settings import Settings

__all__ = ["TlsFiles"]


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of one process, and the name that it expects in the certificates of stages."""

    ca: Path
    cert: Path
    key: Path
    name: str = ""
    """By default the host in the stage's address."""

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """As configured; None where TLS is not.

        Raises:
            BadInput: only some files are named, or one cannot be read.
        """
        ca, cert, key = settings.tls_ca, settings.tls_cert, settings.tls_key
        if ca is None and cert is None and key is None:
            return None
        if ca is None or cert is None or key is None:
            raise BadInput(
                "TLS between stages needs an authority, a certificate and its key.",
                remedy="Set LIPSTREAM_TLS_CA, LIPSTREAM_TLS_CERT and LIPSTREAM_TLS_KEY.",
                code="bad_tls",
            )
        files = cls(ca, cert, key, settings.tls_name)
        files.stamp()
        return files

    def stamp(self) -> tuple[int, ...]:
        """Changes when a file does.

        Raises:
            BadInput: one is not there.
        """
        try:
            return tuple(path.stat().st_mtime_ns for path in (self.ca, self.cert, self.key))
        except OSError as error:
            raise BadInput(
                f"{error.filename} cannot be read: {error.strerror}.",
                remedy="Correct LIPSTREAM_TLS_CA, LIPSTREAM_TLS_CERT and LIPSTREAM_TLS_KEY.",
                code="bad_tls",
            ) from error

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """Of a client, as the files are now."""
        ca, cert, key = self._read()
        return grpc.ssl_channel_credentials(ca, key, cert)

    def server_credentials(self) -> grpc.ServerCredentials:
        """Of a server that takes clients with a certificate only."""
        stamp = self.stamp()

        def changed() -> grpc.ServerCertificateConfiguration | None:
            nonlocal stamp
            try:
                now = self.stamp()
                if now == stamp:
                    return None
                configuration = self._configuration()
            except (BadInput, OSError):  # in the middle of a rotation
                return None
            stamp = now
            return configuration

        return grpc.dynamic_ssl_server_credentials(
            self._configuration(),
            changed,  # type: ignore[arg-type]  # None, as documented: nothing changed
            require_client_authentication=True,
        )

    def _configuration(self) -> grpc.ServerCertificateConfiguration:
        ca, cert, key = self._read()
        return grpc.ssl_server_certificate_configuration([(key, cert)], ca)

    def _read(self) -> tuple[bytes, bytes, bytes]:
        return self.ca.read_bytes(), self.cert.read_bytes(), self.key.read_bytes()
