"""Which key signs the heads of a server's decision log, as its settings say: the one that they name, or its own."""

from __future__ import annotations

from dataclasses import dataclass

from guidepost.decision_log.default_key import default_key, default_key_problem
from guidepost.decision_log.settings import Durability, state_folder
from guidepost.policies.sources.signatures import key_id, private_key
from guidepost.server.settings.model import ServerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """The file of the private key and the id of the key; ``public`` is the file of the public one, "" where a setting names the private one.

    Without a key all of these are ""; ``why_not`` says why, unless no signature is wanted.
    """

    private: str = ""
    public: str = ""
    id: str = ""
    made: bool = False
    why_not: str = ""


def signing_key(settings: ServerSettings) -> SigningKey:
    """Return the key that signs, and make the server's own on its first start; raises SourceError if a key that is there cannot be read."""
    if not signs(settings):
        return SigningKey()
    if settings.log_sign_key is not None:
        return SigningKey(
            private=str(settings.log_sign_key), id=key_id(private_key(settings.log_sign_key).public_key())
        )
    try:
        own = default_key(state_folder())
    except OSError as error:
        return SigningKey(why_not=f"no key can be made in {state_folder()}: {error.strerror or error}")
    return SigningKey(private=str(own.private), public=str(own.public), id=own.id, made=own.made)


def signing_problem(settings: ServerSettings) -> str:
    """Return why the server's own key could not sign, and make nothing; "" if it could, or if it is not asked to."""
    if not signs(settings) or settings.log_sign_key is not None:
        return ""
    return default_key_problem(state_folder())


def signs(settings: ServerSettings) -> bool:
    """Return whether heads are to be signed."""
    return settings.log_sign and settings.log_durability != Durability.OFF
