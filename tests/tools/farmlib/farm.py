"""All of it, in one directory."""

import json
import pathlib
import shutil

from farmlib.base import free_ports
from farmlib.chat import NODES, Chat
from farmlib.pipeline import Pipeline
from farmlib.watch import Watch


class Farm:
    """make(), start(), status(), stop(); say(text) tells how far it is."""

    nodes = NODES

    def __init__(self, path, say=lambda text: None):
        self.dir = pathlib.Path(path).resolve()
        self.say = say
        self.chat = Chat(self.dir)
        self.pipeline = Pipeline(self.dir)
        self.watch = Watch(self.dir)
        self.parts = (self.chat, self.pipeline, self.watch)

    @property
    def ports(self):
        return self.chat.ports

    def programs(self):
        """(the part, the program's name) of all of them."""
        return [(part, program) for part in self.parts
                for program in part.programs]

    def running(self):
        return any(part.pid(program) for part, program in self.programs())

    def processes(self):
        """{program: pids}, with children, of those that run."""
        found = {}
        for part, program in self.programs():
            pid = part.pid(program)
            if pid:
                found[program] = family(pid)
        return found

    def make(self, port=None):
        """Everything in files; without a port the front gets a free one."""
        names = ['front', *(name for part in self.parts
                            for name in part.ports_wanted)]
        ports = dict(zip(names, free_ports(len(names))))
        if port:
            ports['front'] = port
        self.say('directories, keys, databases')
        (self.dir / 'ports').write_text(json.dumps(ports))
        for part in self.parts:
            part.make()

    def start(self):
        """The slow ones first; they come up beside the others."""
        self.chat.start_redis()
        self.pipeline.start_servers()
        self.say('HAProxy and %d nodes' % len(NODES))
        self.chat.start()
        self.say('Kafka, PostgreSQL, relays, archivers, history')
        self.pipeline.start()
        self.say('wait until the nodes are ready')
        self.chat.await_up()
        self.watch.start()

    def status(self):
        for part in self.parts:
            part.status()

    def stop(self):
        self.watch.stop()
        self.chat.stop()
        self.pipeline.stop()
        self.chat.stop_redis()
        shutil.rmtree(self.dir, ignore_errors=True)


def family(pid):
    """A process and its children, as far as they live."""
    try:
        text = pathlib.Path(
            '/proc/%d/task/%d/children' % (pid, pid)).read_text()
    except OSError:
        return [pid]
    return [pid, *map(int, text.split())]
