"""Content Credentials (C2PA): a signed manifest in the film that says that it was generated.

Players and platforms show it, and whoever changes the film breaks the signature.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import lipstream
from lipstream.errors import BadInput, Internal, Unavailable
from lipstream.runtime.settings import Settings
from lipstream.wire.output import FilmFormat

__all__ = ["ContentSigner"]

_GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


@dataclass(frozen=True, slots=True)
class ContentSigner:
    """
    Attributes:
        cert: PEM of the signing certificate and those between it and its authority.
        key: PEM of its private key.
        timestamps: URL of a time-stamping authority, or nothing.
    """

    cert: Path
    key: Path
    timestamps: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """As configured; None where films are not signed.

        Raises:
            BadInput: only one file is named, or they cannot be used.
            Unavailable: the package c2pa-python is missing.
        """
        cert, key = settings.c2pa_cert, settings.c2pa_key
        if cert is None and key is None:
            return None
        if cert is None or key is None:
            raise _unusable("Signing films needs a certificate and its key.")
        try:
            import c2pa  # noqa: F401
        except ImportError as error:
            raise Unavailable(
                "Signing films needs the package c2pa-python.",
                remedy="Install the extra: pip install 'lipstream[provenance]'.",
                code="no_c2pa",
            ) from error
        signer = cls(cert, key, settings.c2pa_timestamps)
        signer._signer()
        return signer

    def sign(self, film: Path, format: FilmFormat) -> bool:
        """Put a manifest into a film, if its format can hold one; whether it did.

        Raises:
            BadInput: the certificate or the key cannot be used.
            Internal: the film cannot be signed.
        """
        if format is not FilmFormat.MP4:
            return False
        import c2pa

        program = {"name": "lipstream", "version": lipstream.__version__}
        created = {
            "action": "c2pa.created",
            "digitalSourceType": _GENERATED,
            "softwareAgent": program,
        }
        manifest = {
            "claim_generator_info": [program],
            "title": "A generated talking head",
            "format": format.media_type,
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}],
        }
        part = film.with_name(f".lipstream-{secrets.token_hex(8)}.signed{film.suffix}")
        try:
            builder = c2pa.Builder(json.dumps(manifest))
            builder.sign_file(os.fspath(film), os.fspath(part), self._signer())
            part.replace(film)
        except c2pa.C2paError as error:
            raise Internal(f"The film cannot be signed: {str(error)[:200]}") from error
        finally:
            part.unlink(missing_ok=True)
        return True

    def _signer(self) -> Any:
        import c2pa

        try:
            cert, key = self.cert.read_bytes(), self.key.read_bytes()
            info = c2pa.C2paSignerInfo(
                alg=_algorithm(key).encode(),
                sign_cert=cert,
                private_key=key,
                ta_url=self.timestamps.encode() or None,
            )
            return c2pa.Signer.from_info(info)
        except OSError as error:
            raise _unusable(f"{error.filename} cannot be read: {error.strerror}.") from error
        except (c2pa.C2paError, ValueError, TypeError) as error:
            raise _unusable("The certificate or the key cannot sign films.") from error


def _algorithm(key: bytes) -> str:
    """Name of the signature that fits a private key, in C2PA's words.

    Raises:
        ValueError: there is none.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    match load_pem_private_key(key, None):
        case ec.EllipticCurvePrivateKey(curve=ec.SECP256R1()):
            return "es256"
        case ec.EllipticCurvePrivateKey(curve=ec.SECP384R1()):
            return "es384"
        case ed25519.Ed25519PrivateKey():
            return "ed25519"
        case rsa.RSAPrivateKey():
            return "ps256"
    raise ValueError("No key of a kind that C2PA knows.")


def _unusable(message: str) -> BadInput:
    return BadInput(
        message, remedy="Correct LIPSTREAM_C2PA_CERT and LIPSTREAM_C2PA_KEY.", code="bad_c2pa"
    )
