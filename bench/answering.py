"""Whoever answers AWS calls, in a process of its own: `python -m bench.answering server|moto|world FOLDER`.

`server` is moto's own server, and prints its port. `moto` (moto inside this process, without HTTP) and `world` (our
world inside this process, without HTTP) walk the sequence once for each line on standard input and print the seconds
as JSON. All end when standard input does.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from bench.sequence import REGION, SERVICES, Round

# The same moto on both sides: the simulated cloud has its images, so moto's own gets them too.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "true"


def main(words: list[str]) -> int:
    """Serve until standard input ends."""
    kind, folder = words[0], Path(words[1])
    if kind == "server":
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        print(server.get_host_and_port()[1], flush=True)
        sys.stdin.read()
        server.stop()
        return 0
    clients = _moto() if kind == "moto" else _world(folder)
    print("ready", flush=True)
    for number, _ in enumerate(sys.stdin):
        walked = Round(clients, number).walk()
        print(json.dumps([walked.seconds, walked.calls]), flush=True)
    return 0


def _moto() -> dict[str, Any]:
    import boto3
    from moto import mock_aws

    mock_aws().start()
    return {name: boto3.client(name, region_name=REGION) for name in SERVICES}


def _world(folder: Path) -> dict[str, Any]:
    from simcloud.aws.inner import Clients
    from simcloud.server import open_world

    world = open_world(folder)
    inside = Clients(lambda request: world.call("aws", request))
    return {name: inside.get(name, REGION) for name in SERVICES}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
