"""Two network namespaces with a wire between that has a rate and a delay.

The kernel's own means for this, netem, is not in every kernel. So each namespace has a TUN device,
and a thread of this process carries the packets from one to the other: each leaves when those
before it have, at the wire's rate, and comes out half a round trip later. TCP sees a true round
trip. It needs Linux and root; the thread takes processor time, which a real wire does not.
"""

import os
import select
import struct
import subprocess
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

from bench.scaling.model import Wire

NEAR, FAR = "10.77.0.1", "10.77.0.2"
_MTU = 9000  # of jumbo frames
_TUNSETIFF, _TUN_WITHOUT_HEADER = 0x400454CA, 0x1001
_AT_ONCE = 64  # packets that are read before due ones are written


@dataclass
class Direction:
    """One way of a wire.

    Parameters
    ----------
    wire : Wire
    """

    wire: Wire
    under_way: deque[tuple[float, bytes]] = field(default_factory=deque)
    free: float = 0.0

    def send(self, packet: bytes, now: float) -> None:
        """Take a packet, which leaves after those before it."""
        self.free = max(now, self.free) + 8e-9 * len(packet) / self.wire.gigabits
        self.under_way.append((self.free + self.wire.round_trip / 2, packet))

    def arrived(self, now: float) -> Iterator[bytes]:
        """Give the packets that are due."""
        while self.under_way and self.under_way[0][0] <= now:
            yield self.under_way.popleft()[1]

    def due(self, now: float) -> float:
        """Return the seconds until the next packet is due; a tenth if there is none."""
        return max(0.0, self.under_way[0][0] - now) if self.under_way else 0.1


@contextmanager
def linked(wire: Wire) -> Iterator[tuple[list[str], list[str]]]:
    """Make two namespaces; give what goes before a command to run it in the one or the other.

    Parameters
    ----------
    wire : Wire

    Raises
    ------
    PermissionError, FileNotFoundError, subprocess.CalledProcessError
        If this is not Linux with TUN devices, or not root.
    """
    with ExitStack() as stack:
        ends, prefixes = [], []
        for name, address in (("near", NEAR), ("far", FAR)):
            space = f"{name}-{os.getpid()}"
            ends.append(_tun(space))
            stack.callback(os.close, ends[-1])
            _ip("netns", "add", space)
            stack.callback(_ip, "netns", "del", space)
            _ip("link", "set", space, "netns", space)
            within = ["-n", space]
            _ip(*within, "address", "add", f"{address}/24", "dev", space)
            _ip(*within, "link", "set", space, "mtu", str(_MTU), "txqueuelen", "10000", "up")
            _ip(*within, "link", "set", "lo", "up")
            _ip("netns", "exec", space, "sysctl", "-qw", "net.ipv4.tcp_congestion_control=reno")
            prefixes.append(["ip", "netns", "exec", space])
        stop = Event()
        carrier = Thread(target=_carry, args=(ends, wire, stop), daemon=True)
        carrier.start()
        stack.callback(carrier.join)
        stack.callback(stop.set)
        yield prefixes[0], prefixes[1]


def _tun(name: str) -> int:
    """Make a TUN device, and return its file descriptor."""
    import fcntl  # which Windows lacks, where results are read, too

    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", name.encode(), _TUN_WITHOUT_HEADER))
    return device


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)  # noqa: S603, S607 - our own words


def _carry(ends: list[int], wire: Wire, stop: Event) -> None:
    """Carry packets both ways until it is to stop."""
    ways = {end: Direction(wire) for end in ends}
    other = dict(zip(ends, reversed(ends), strict=True))
    while not stop.is_set():
        now = time.perf_counter()
        ready, _, _ = select.select(ends, [], [], min(way.due(now) for way in ways.values()))
        for end in ready:
            _take(end, ways[end])
        now = time.perf_counter()
        for end, way in ways.items():
            for packet in way.arrived(now):
                os.write(other[end], packet)


def _take(end: int, way: Direction) -> None:
    """Take the packets that are waiting at one end, but some at most."""
    for _ in range(_AT_ONCE):
        try:
            packet = os.read(end, _MTU)
        except BlockingIOError:
            return
        way.send(packet, time.perf_counter())
