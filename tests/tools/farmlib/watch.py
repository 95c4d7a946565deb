"""Prometheus beside the farm, where it is installed."""

import shutil

from farmlib.base import FarmError, Place, await_true, fetch
from farmlib.chat import NODES
from farmlib.pipeline import DAEMONS


class Watch(Place):
    programs = ('prometheus',)
    ports_wanted = ('prometheus',)

    def there(self):
        return shutil.which('prometheus') is not None

    def make(self):
        if not self.there():
            return
        ports = self.ports
        (self.dir / 'prometheus').mkdir()
        self.copy('prometheus/ws_chat.rules.yml', 'prometheus', {})
        # what happens on one machine is to be seen at once
        self.copy('prometheus/prometheus.yml', 'prometheus', {
            'scrape_interval: 15s': 'scrape_interval: 1s',
            'evaluation_interval: 15s': 'evaluation_interval: 1s',
            **{'"127.0.0.1:%d"' % (8081 + n): '"127.0.0.1:%d"' % ports[node]
               for n, node in enumerate(NODES)},
            '"127.0.0.1:8404"': '"127.0.0.1:%d"' % ports['stats'],
            **{'"127.0.0.1:%d"' % (9471 + n): ', '.join(
                '"127.0.0.1:%d"' % ports[daemon] for daemon in DAEMONS
                if daemon.startswith(kind))
               for n, kind in enumerate(('relay', 'archiver', 'history'))}})

    def start(self):
        if not self.there():
            return
        self.launch('prometheus', 'prometheus',
                    '--config.file=prometheus.yml',
                    '--storage.tsdb.path=data',
                    '--storage.tsdb.retention.time=6h',
                    '--log.level=warn', '--web.listen-address=127.0.0.1:%d'
                    % self.ports['prometheus'])
        if not await_true(self.is_up, 60):
            raise FarmError('Prometheus does not come up:\n' + self.logs())

    def is_up(self):
        return fetch(self.ports['prometheus'], '/-/ready')[0] == 200

    def status(self):
        if self.there():
            print('prometheus  http://127.0.0.1:%d/  %s' % (
                self.ports['prometheus'],
                'answers' if self.is_up() else 'does not answer'))

    def stop(self):
        self.end('prometheus')
