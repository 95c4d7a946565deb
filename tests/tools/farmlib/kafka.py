"""One Apache Kafka broker in a directory, with the settings of conf/kafka."""

import base64
import pathlib
import secrets

from farmlib.base import run

# one machine has one replica
ALONE = {
    'node.id': '1',
    'default.replication.factor': '1',
    'min.insync.replicas': '1',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
}

LOG4J = '''log4j.rootLogger=WARN, stdout
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
log4j.appender.stdout.layout.ConversionPattern=%d %p %c %m%n
'''


def command(top, name, *args):
    """The command line of a program of Kafka's; top: the checkout."""
    return ['java', '-Xmx320m', '-XX:+UseSerialGC',
            '-XX:TieredStopAtLevel=1', '-Xshare:auto',
            '-Dlog4j.configuration=file:log4j.properties',
            '-cp', str(pathlib.Path(top, 'build/kafka/lib').resolve() / '*'),
            name, *args]


def broker(top):
    """The command line of the broker itself, to be run in its directory."""
    return command(top, 'kafka.Kafka', 'server.properties')


def make(top, place, port, controller, more=(), **settings):
    """Write the broker's files and format its log.

    `min_insync_replicas=2` is min.insync.replicas; more: other listeners,
    (name, protocol, address).
    """
    text = pathlib.Path(top, 'conf/kafka/server.properties').read_text()
    values = dict(line.split('=', 1) for line in text.splitlines()
                  if line and not line.startswith('#'))
    values.update(ALONE)
    values.update({
        'listeners': 'PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d'
                     % (port, controller),
        'advertised.listeners': 'PLAINTEXT://127.0.0.1:%d' % port,
        'controller.quorum.voters': '1@127.0.0.1:%d' % controller,
        'log.dirs': str(pathlib.Path(place, 'data'))})
    for name, protocol, address in more:
        for key in 'listeners', 'advertised.listeners':
            values[key] += ',%s://%s' % (name, address)
        values['listener.security.protocol.map'] += ',%s:%s' % (name, protocol)
        values['inter.broker.listener.name'] = 'PLAINTEXT'
    values.update({name.replace('_', '.'): str(value)
                   for name, value in settings.items()})
    pathlib.Path(place, 'server.properties').write_text(
        ''.join('%s=%s\n' % one for one in values.items()))
    pathlib.Path(place, 'log4j.properties').write_text(LOG4J)
    # its first letter is no "-", which would be an option
    name = base64.urlsafe_b64encode(b'\0' + secrets.token_bytes(15)).decode()
    run(command(top, 'kafka.tools.StorageTool', 'format', '-t',
                name.rstrip('='), '-c', 'server.properties'), cwd=place)
