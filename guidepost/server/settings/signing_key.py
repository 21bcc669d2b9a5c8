"""The key that signs the heads of the decision log: the one of the settings, or the server's own."""

from __future__ import annotations

from dataclasses import dataclass

from guidepost.decision_log.default_key import default_key, default_key_problem
from guidepost.decision_log.settings import Durability, state_folder
from guidepost.policies.sources.signatures import key_id, private_key
from guidepost.server.settings.model import ServerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """The key that signs. Without one, the texts are empty, and ``why_not`` has the reason unless signing is off.

    Attributes:
        private: the file of the private key.
        public: the file of the public key; "" if a setting names the private one.
        id: the id of the key.
        made: whether the key was created now.
        why_not: why there is no key.
    """

    private: str = ""
    public: str = ""
    id: str = ""
    made: bool = False
    why_not: str = ""


def signing_key(settings: ServerSettings) -> SigningKey:
    """Return the key that signs; the first start creates the server's own.

    Raises SourceError if a key cannot be read.
    """
    if not signs(settings):
        return SigningKey()
    if settings.log_sign_key is not None:
        return SigningKey(
            private=str(settings.log_sign_key), id=key_id(private_key(settings.log_sign_key).public_key())
        )
    try:
        own = default_key(state_folder())
    except OSError as error:
        return SigningKey(why_not=f"cannot create a key in {state_folder()}: {error.strerror or error}")
    return SigningKey(private=str(own.private), public=str(own.public), id=own.id, made=own.made)


def signing_problem(settings: ServerSettings) -> str:
    """Return why the server's own key cannot sign, without creating it; "" if it can, or if it is not used."""
    if not signs(settings) or settings.log_sign_key is not None:
        return ""
    return default_key_problem(state_folder())


def signs(settings: ServerSettings) -> bool:
    """Return whether heads are signed."""
    return settings.log_sign and settings.log_durability != Durability.OFF
