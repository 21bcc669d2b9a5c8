"""The service for policy owners and auditors: what the versions say."""

# ruff: noqa: N802 - gRPC names methods as the proto files do

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from engine.answer import UnknownVersion
from engine.bundle import Bundle
from guidepost.v1 import policy_service_pb2 as pb
from guidepost.v1.policy_service_pb2_grpc import PolicyServiceServicer
from service import wire
from service.errors import served


class Versions(PolicyServiceServicer):  # type: ignore[misc]
    """Answers PolicyService from a bundle of versions; the clock gives the present instant."""

    def __init__(self, bundle: Bundle, clock: Callable[[], datetime]) -> None:
        self._bundle, self._clock = bundle, clock

    @served
    def ListVersions(self, request: pb.ListVersionsRequest) -> pb.ListVersionsResponse:  # noqa: ARG002
        """List the versions, and say which one is in force."""
        try:
            in_force = wire.version_ref(self._bundle.select(now=self._clock()).ref)
        except UnknownVersion:
            in_force = None
        versions = [wire.summary(version.policy, version.ref) for version in self._bundle.versions]
        return pb.ListVersionsResponse(versions=versions, in_force=in_force)

    @served
    def GetVersion(self, request: pb.GetVersionRequest) -> pb.GetVersionResponse:
        """Give one version whole."""
        version = self._bundle.select(**wire.selection(request.version), now=self._clock())
        return pb.GetVersionResponse(version=wire.policy_version(version.policy, version.ref))
