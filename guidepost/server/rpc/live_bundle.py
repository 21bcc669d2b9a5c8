"""The policy versions that answer now."""

from __future__ import annotations

from engine.decide.decider import Deciders, bundle_deciders
from engine.version.bundle import Bundle, Versions


class LiveBundle:
    """Holds a decider for each policy version of a bundle, until all of them are replaced at once.

    A call reads ``deciders`` once, so that no answer mixes two bundles. ``reload_error`` says why the last reload
    failed, if it did.
    """

    __slots__ = ("deciders", "reload_error")

    def __init__(self, bundle: Bundle) -> None:
        self.deciders: Deciders = bundle_deciders(bundle)
        self.reload_error = ""

    @property
    def bundle(self) -> Bundle:
        """The versions of the deciders."""
        return Versions(tuple(decider.version for decider in self.deciders.versions))
