"""A Pulumi provider that does nothing: it says yes to everything and makes nothing. The floor of what an engine costs.

`python -m bench.nothing aws gcp` serves one for each name, prints their ports as `aws:PORT,gcp:PORT`, and ends when its
standard input does. It imports nothing of the simulated cloud and none of the SDKs.
"""

from __future__ import annotations

import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

LOOPBACK = "127.0.0.1"
MESSAGE_LIMIT = 400 * 1024 * 1024


class Nothing(provider_pb2_grpc.ResourceProviderServicer):
    """Inputs come back as they are; an id is a random one; whatever is read is as it was."""

    def Handshake(self, request: Any, context: Any) -> Any:
        """The same abilities as the simulated clouds' providers say they have."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=False, accept_resources=False)

    def Attach(self, request: Any, context: Any) -> Any:
        """Nothing to remember."""
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """Some version."""
        return plugin_pb2.PluginInfo(version="0.0.1")

    def CheckConfig(self, request: Any, context: Any) -> Any:
        """Any configuration is right."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        """Never different."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:
        """Previews come here too."""
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Cancel(self, request: Any, context: Any) -> Any:
        """Nothing runs."""
        return empty_pb2.Empty()

    def Check(self, request: Any, context: Any) -> Any:
        """Any inputs are right."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        """Never different."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Create(self, request: Any, context: Any) -> Any:
        """An id, and the inputs as outputs; in a preview what is missing stays unknown."""
        id = "" if request.preview else uuid.uuid4().hex
        return provider_pb2.CreateResponse(id=id, properties=request.properties)

    def Read(self, request: Any, context: Any) -> Any:
        """As it was."""
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Update(self, request: Any, context: Any) -> Any:
        """As wanted."""
        return provider_pb2.UpdateResponse(properties=request.news)

    def Delete(self, request: Any, context: Any) -> Any:
        """Gone."""
        return empty_pb2.Empty()


def main(names: list[str]) -> int:
    """Serve until standard input ends."""
    options = [
        ("grpc.max_receive_message_length", MESSAGE_LIMIT),
        ("grpc.max_send_message_length", MESSAGE_LIMIT),
        ("grpc.so_reuseport", 0),
    ]
    servers, ports = [], []
    for name in names:
        server = grpc.server(ThreadPoolExecutor(max_workers=32), options=options)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(Nothing(), server)
        ports.append(f"{name}:{server.add_insecure_port(f'{LOOPBACK}:0')}")
        server.start()
        servers.append(server)
    print(",".join(ports), flush=True)
    sys.stdin.read()
    for server in servers:
        server.stop(0)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
