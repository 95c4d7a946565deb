"""One run of wsbench against a server."""

import json
import subprocess
import threading

from . import machine
from .machine import BenchError
from .server import TOP, pinned

WSBENCH = TOP / 'build/bench/wsbench'

# handshakes of each process at a time
UNDER_WAY = 256

# the longest time between two steps
PATIENCE = 600


def check():
    if not WSBENCH.exists():
        raise BenchError('%s is missing; run it by `make bench`' % WSBENCH)


def run(server, *arguments, at=None, room='r', beside=None):
    """The result of wsbench as a dict.

    at: {step: function}, called while the generator waits there.
    beside: called in a thread of its own, with the generator's process.
    room: what the names of rooms begin with.
    """
    cpus = machine.processors()[1]
    of_server = [word.replace('r{room}', room + '{room}')
                 for word in server.arguments()]
    command = pinned(cpus) + [str(WSBENCH), '--json', '--quiet', '--step',
                              '--timeout', '60',
                              '-P', str(min(len(cpus or [0]), 4)),
                              *of_server, *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    thread = threading.Thread(target=beside, args=(process,))
    try:
        if beside:
            thread.start()
        follow(process, at or {})
        text = process.stdout.read()
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
        if beside:
            thread.join()
    if process.returncode not in (0, 1):
        raise BenchError('wsbench failed (%d)' % process.returncode)
    return json.loads(text)


def follow(process, at):
    """From step to step, until the result comes."""
    while True:
        line = process.stdout.readline()
        if not line.startswith('ready '):
            raise BenchError('wsbench ended early (%s)' % process.wait(10))
        step = line.split()[1]
        if step in at:
            at[step]()
        process.stdin.write('\n')
        process.stdin.flush()
        if step == 'closed':
            return
