#!/usr/bin/env python3
"""A TCP proxy that hands on what clients send one byte at a time.

slicer.py PORT: listens on a free port, prints it, forwards to PORT.

Answers are handed on as they come. Each byte is a segment of its own, so
that the server sees every way in which a frame can be cut.
"""

import socket
import sys
import threading


def forward(source, sink, slices):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            if not slices:
                sink.sendall(data)
                continue
            for i in range(len(data)):
                sink.send(data[i:i + 1])
    except OSError:
        pass
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client, port):
    with client, socket.create_connection(('127.0.0.1', port)) as server:
        for sock in (client, server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        up = threading.Thread(target=forward, args=(client, server, True),
                              daemon=True)
        up.start()
        forward(server, client, False)
        up.join()


def main():
    port = int(sys.argv[1])
    listener = socket.create_server(('127.0.0.1', 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, port),
                         daemon=True).start()


if __name__ == '__main__':
    main()
