"""A TCP proxy that misbehaves as told, between some workers and clients and the broker.

usage: proxy.py LISTEN-ADDRESS BROKER-ADDRESS PORT…

It listens on the broker's own ports, because a handshake tells ports, not addresses. One word a
line on standard input, for all connections from then on:
  pass             as a wire
  delay SECONDS    each piece arrives that much later
  stall            nothing is read any more, in either direction
  reset            what is open is reset; new connections pass
  half-open        the broker's side is closed, the other side hears nothing of it
"""

import asyncio
import socket
import struct
import sys

PIECE_BYTES = 65536


class Proxy:
    def __init__(self, target):
        self._target = target
        self._connections = {}   # writer of a peer -> writer to the broker
        self._abandoned = set()  # writers to the broker of half-open connections
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._delay_seconds = 0.0

    async def obey(self, line):
        word, _, argument = line.partition(" ")
        self._delay_seconds = float(argument) if word == "delay" else 0.0
        if word == "stall":
            self._flowing.clear()
        else:
            self._flowing.set()
        if word == "reset":
            for pair in list(self._connections.items()):
                for writer in pair:
                    reset(writer)
        if word == "half-open":
            for to_broker in self._connections.values():
                self._abandoned.add(to_broker)
                to_broker.close()

    async def accept(self, port, peer_reader, peer_writer):
        try:
            reader, writer = await asyncio.open_connection(self._target, port)
        except OSError:
            reset(peer_writer)
            return
        self._connections[peer_writer] = writer
        try:
            await asyncio.gather(self._to_broker(peer_reader, writer),
                                 self._from_broker(reader, writer, peer_writer))
        finally:
            del self._connections[peer_writer]
            self._abandoned.discard(writer)
            peer_writer.close()
            writer.close()

    async def _to_broker(self, peer_reader, writer):
        await self._pump(peer_reader, writer)
        writer.close()

    async def _from_broker(self, reader, writer, peer_writer):
        await self._pump(reader, peer_writer)
        if writer not in self._abandoned:
            peer_writer.close()

    async def _pump(self, reader, writer):
        """Until the reader's side ends. What cannot be written any more goes nowhere."""
        try:
            while piece := await reader.read(PIECE_BYTES):
                if self._delay_seconds:
                    await asyncio.sleep(self._delay_seconds)
                await self._flowing.wait()
                if not writer.is_closing():
                    writer.write(piece)
                    await writer.drain()
        except OSError:
            pass


def reset(writer):
    """Closes with RST in the place of FIN; does nothing to what is closed already."""
    if not writer.is_closing():
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                   struct.pack("ii", 1, 0))
    writer.transport.abort()


async def serve(listen, target, ports):
    proxy = Proxy(target)
    for port in ports:
        await asyncio.start_server(
            lambda reader, writer, port=port: proxy.accept(port, reader, writer), listen, port)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := (await commands.readline()).decode().strip():
        await proxy.obey(line)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], [int(port) for port in sys.argv[3:]]))
