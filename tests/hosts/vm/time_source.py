"""An NTP server whose time does not depend on this machine's clock: a number given at the start, plus the uptime."""

import socket
import struct
import sys
import time

SINCE_1900 = 2_208_988_800


def main(now: float) -> None:
    """Answer on 127.0.0.1, port 123."""
    offset = now - time.monotonic()
    served = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    served.bind(("127.0.0.1", 123))
    while True:
        asked, peer = served.recvfrom(512)
        received = stamp(time.monotonic() + offset)
        # No warning, version 4, server; stratum 1; its name GPS; the client's own time, given back.
        head = struct.pack("!BBbbII4s", 0b00_100_100, 1, 4, -20, 0, 0, b"GPS\0")
        served.sendto(head + received + asked[40:48] + received + stamp(time.monotonic() + offset), peer)


def stamp(seconds: float) -> bytes:
    """A time as NTP writes it."""
    whole = int(seconds)
    return struct.pack("!II", whole + SINCE_1900, int((seconds - whole) * 2**32))


if __name__ == "__main__":
    main(float(sys.argv[1]))
