"""PolicyService, for policy owners and auditors: the contents of the versions, and their differences."""

# ruff: noqa: N802 - gRPC names methods as the proto files do

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from engine.cache import Cache
from engine.model.answer import UnknownDecision, UnknownVersion
from engine.version.version import Version
from guidepost.server import wire
from guidepost.server.rpc.live_bundle import LiveBundle
from guidepost.server.rpc.status import Context, streaming, unary
from guidepost.v1 import policy_service_pb2 as pb
from guidepost.v1.policy_service_pb2_grpc import PolicyServiceServicer

if TYPE_CHECKING:
    from engine.diff import Diff

CACHE_SIZE: Final = 8
"""Number of differences in the cache."""


class PolicyService(PolicyServiceServicer):  # type: ignore[misc]
    """Answers PolicyService from the live bundle; the clock selects the version in force."""

    def __init__(self, live: LiveBundle, clock: Callable[[], datetime]) -> None:
        self._live, self._clock = live, clock
        self._differences: Cache[tuple[str, str], Diff] = Cache(CACHE_SIZE)

    @unary
    async def ListVersions(self, request: pb.ListVersionsRequest, context: Context) -> pb.ListVersionsResponse:  # noqa: ARG002
        """List the versions, and name the one in force."""
        bundle = self._live.bundle
        try:
            in_force = wire.version_ref(bundle.select(now=self._clock()).ref)
        except UnknownVersion:
            in_force = None
        versions = [wire.summary(version.policy, version.ref) for version in bundle.versions]
        return pb.ListVersionsResponse(versions=versions, in_force=in_force)

    @unary
    async def GetVersion(self, request: pb.GetVersionRequest, context: Context) -> pb.GetVersionResponse:  # noqa: ARG002
        """Return everything that a version contains."""
        version = self._live.bundle.select(**wire.selection(request.version), now=self._clock())
        return pb.GetVersionResponse(version=wire.policy_version(version.policy, version.ref))

    @streaming
    async def DiffVersions(
        self,
        request: pb.DiffVersionsRequest,
        context: Context,  # noqa: ARG002
    ) -> AsyncIterator[pb.DiffVersionsResponse]:
        """Yield a summary of the difference, then each decision.

        A thread compares, so that the event loop serves other calls.
        """
        before, after = self._pair(request)
        known = dict.fromkeys((*after.policy.decisions, *before.policy.decisions))
        for name in request.decisions:
            if name not in known:
                raise UnknownDecision(name, tuple(known))
        diff = await asyncio.to_thread(self._difference, before, after)
        from guidepost.server.wire.diff_message import decision_diff, diff_summary  # noqa: PLC0415 - as `compare`

        yield pb.DiffVersionsResponse(summary=diff_summary(diff))
        for decision in diff.decisions:
            if not request.decisions or decision.name in request.decisions:
                yield pb.DiffVersionsResponse(decision=decision_diff(diff, decision))

    def _pair(self, request: pb.DiffVersionsRequest) -> tuple[Version, Version]:
        bundle = self._live.bundle
        after = bundle.select(**wire.selection(request.after, "after"), now=self._clock())
        if request.before.WhichOneof("by"):
            return bundle.select(**wire.selection(request.before, "before"), now=self._clock()), after
        at = [version.digest for version in bundle.versions].index(after.digest)
        if at == 0:
            raise UnknownVersion(f"before `{after.ref.version}`", bundle.refs)
        return bundle.versions[at - 1], after

    def _difference(self, before: Version, after: Version) -> Diff:
        """Return the difference of two versions, from the cache if possible: versions never change."""
        from engine.diff import compare  # noqa: PLC0415 - deciding does not need it

        return self._differences.get_or_make((before.digest, after.digest), lambda: compare(before, after))
