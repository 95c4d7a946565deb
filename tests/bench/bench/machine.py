"""The machine: what it is, what processes on it use."""

import os
import pathlib
import re
import resource
import subprocess
import time

TICK = os.sysconf('SC_CLK_TCK')


class BenchError(Exception):
    """Something needed is missing or broken."""


def describe():
    """What a figure depends on."""
    model = re.search(r'^model name\s*:\s*(.*)', read('/proc/cpuinfo'), re.M)
    return {
        'cpu': model[1] if model else os.uname().machine,
        'cpus': len(os.sched_getaffinity(0)),
        'kernel': os.uname().release,
        'nginx': nginx_version(),
        'load': os.getloadavg()[0],
        'descriptors': descriptors(),
    }


def nginx_version():
    done = subprocess.run(['nginx', '-v'], stderr=subprocess.PIPE, text=True)
    return done.stderr.strip().rpartition('/')[2]


def descriptors():
    """How many a process may hold."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def realtime():
    """Let this process and its children run before all ordinary ones.

    In turn (RR): with FIFO a thread of Node.js that waits for another one
    spins for good, because that one never gets the processor.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
    except PermissionError:
        raise BenchError('--realtime is for root') from None


def processors():
    """Two disjoint sets, for the server and for the generator, or None."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        return None, None
    return cpus[:1], cpus[1:]


def read(path):
    return pathlib.Path(path).read_text()


def busy():
    """Seconds that all processors were busy."""
    fields = [int(word) for word in read('/proc/stat').split('\n')[0]
              .split()[1:]]
    idle = fields[3] + fields[4]
    return (sum(fields[:8]) - idle) / TICK


def cpu_seconds(pids):
    """What the processes have used, in user and system mode."""
    spent = 0
    for pid in pids:
        for task in os.listdir('/proc/%d/task' % pid):
            spent += int(read('/proc/%d/task/%s/schedstat'
                              % (pid, task)).split()[0])
    return spent / 1e9


def memory(pids):
    """Proportional set size in octets: all, and its kinds."""
    sizes = {'pss': 0, 'anon': 0, 'shmem': 0, 'file': 0}
    for pid in pids:
        text = read('/proc/%d/smaps_rollup' % pid)
        for line in text.splitlines():
            word = line.split(':')[0].lower()
            name = {'pss': 'pss', 'pss_anon': 'anon', 'pss_shmem': 'shmem',
                    'pss_file': 'file'}.get(word)
            if name:
                sizes[name] += int(line.split()[1]) * 1024
    return sizes


def open_files(pid):
    return len(os.listdir('/proc/%d/fd' % pid))


def backlog(port):
    """How many have connected to the port and were not accepted yet."""
    for line in read('/proc/net/tcp').splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(':%04X' % port) and fields[3] == '0A':
            return int(fields[4].split(':')[1], 16)
    return 0


def children(pid):
    return [int(word)
            for word in read('/proc/%d/task/%d/children' % (pid, pid)).split()]


def wait_for(condition, what, seconds=30):
    """Poll until condition() gives something true, and return it."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise BenchError('%s: not within %s s' % (what, seconds))
        time.sleep(0.02)
