"""The service for policy owners and auditors: what the versions say."""

# ruff: noqa: N802 - gRPC names methods as the proto files do

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Final

from engine.cache import Cache
from engine.diff import Diff, compare
from engine.model.answer import UnknownDecision, UnknownVersion
from engine.version.version import Version
from guidepost.server import wire
from guidepost.server.rpc.live_bundle import Held
from guidepost.server.rpc.status import served, streamed
from guidepost.v1 import policy_service_pb2 as pb
from guidepost.v1.policy_service_pb2_grpc import PolicyServiceServicer

MAX_KEPT: Final = 8
"""How many differences are kept."""


class Versions(PolicyServiceServicer):  # type: ignore[misc]
    """Answers PolicyService from the bundle that is held; the clock gives the present instant."""

    def __init__(self, held: Held, clock: Callable[[], datetime]) -> None:
        self._held, self._clock = held, clock
        self._differences: Cache[tuple[str, str], Diff] = Cache(MAX_KEPT)

    @served
    def ListVersions(self, request: pb.ListVersionsRequest) -> pb.ListVersionsResponse:  # noqa: ARG002
        """List the versions, and say which one is in force."""
        bundle = self._held.bundle
        try:
            in_force = wire.version_ref(bundle.select(now=self._clock()).ref)
        except UnknownVersion:
            in_force = None
        versions = [wire.summary(version.policy, version.ref) for version in bundle.versions]
        return pb.ListVersionsResponse(versions=versions, in_force=in_force)

    @served
    def GetVersion(self, request: pb.GetVersionRequest) -> pb.GetVersionResponse:
        """Return one version whole."""
        version = self._held.bundle.select(**wire.selection(request.version), now=self._clock())
        return pb.GetVersionResponse(version=wire.policy_version(version.policy, version.ref))

    @streamed
    async def DiffVersions(self, request: pb.DiffVersionsRequest) -> AsyncIterator[pb.DiffVersionsResponse]:
        """Compare two versions, off the loop that serves decisions; the summary first, then decision by decision."""
        before, after = self._pair(request)
        known = dict.fromkeys((*after.policy.decisions, *before.policy.decisions))
        for name in request.decisions:
            if name not in known:
                raise UnknownDecision(name, tuple(known))
        diff = await asyncio.to_thread(self._difference, before, after)
        yield pb.DiffVersionsResponse(summary=wire.diff_summary(diff))
        for decision in diff.decisions:
            if not request.decisions or decision.name in request.decisions:
                yield pb.DiffVersionsResponse(decision=wire.decision_diff(decision))

    def _pair(self, request: pb.DiffVersionsRequest) -> tuple[Version, Version]:
        bundle = self._held.bundle
        after = bundle.select(**wire.selection(request.after, "after"), now=self._clock())
        if request.before.WhichOneof("by"):
            return bundle.select(**wire.selection(request.before, "before"), now=self._clock()), after
        at = [version.digest for version in bundle.versions].index(after.digest)
        if at == 0:
            raise UnknownVersion(f"before `{after.ref.version}`", bundle.refs)
        return bundle.versions[at - 1], after

    def _difference(self, before: Version, after: Version) -> Diff:
        """Return the difference of two versions; versions never change, so neither does what lies between them."""
        return self._differences.once((before.digest, after.digest), lambda: compare(before, after))
