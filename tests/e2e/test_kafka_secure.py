"""A broker that wants TLS and a password: what librdkafka's properties do.

Its certificate is of a CA of our own.  Only the test itself has a way in that
is plain.
"""

import asyncio
import tempfile

import confluent_kafka.admin as admin
import pytest

from harness.broker import Kafka
from harness.client import Client
from harness.nginx import reserve_port, wait_for
from harness.pipeline import daemon, database, postgres, redis  # noqa: F401
from harness.records import EPOCH
from harness.redis import make_certificates

pytestmark = [pytest.mark.plain_store, pytest.mark.once,
              pytest.mark.xdist_group('kafka')]

USER, PASSWORD = 'chat', 'a secret; "quoted"'
ROOM = 'room'
PATIENT = 60
MODULES = 'org.apache.kafka.common.security.'


class SecureKafka(Kafka):
    """As Kafka, with one more listener: SASL_SSL at `secure`."""

    def __init__(self, certificates):
        (certificates / 'broker.pem').write_text(''.join(
            (certificates / name).read_text()
            for name in ('redis.key', 'redis.crt')))
        port, keeper = reserve_port()
        keeper.close()
        self.secure = '127.0.0.1:%d' % port
        super().__init__(more=[
            ('SECURE', 'SASL_SSL', self.secure)], **{
            'listener.name.secure.' + name: value for name, value in {
                'ssl.keystore.type': 'PEM',
                'ssl.keystore.location': certificates / 'broker.pem',
                'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
                'plain.sasl.jaas.config': MODULES + (
                    'plain.PlainLoginModule required user_%s="%s";'
                    % (USER, PASSWORD.replace('"', r'\\"'))),
                'scram-sha-256.sasl.jaas.config': MODULES +
                    'scram.ScramLoginModule required;',
            }.items()})
        # kept until it has answered
        client = self.admin()
        client.alter_user_scram_credentials([
            admin.UserScramCredentialUpsertion(
                USER, admin.ScramCredentialInfo(
                    admin.ScramMechanism.SCRAM_SHA_256, 4096),
                PASSWORD.encode())])[USER].result(30)


@pytest.fixture(scope='module')
def certificates():
    # workers read the CA; pytest's own directories are for one user
    with tempfile.TemporaryDirectory(prefix='wsc-tls.') as name:
        path = make_certificates(name)
        path.chmod(0o755)
        yield path


@pytest.fixture(scope='module')
def secure(certificates):
    broker = SecureKafka(certificates)
    yield broker
    broker.close()


class Line:
    """What stands between a member and PostgreSQL, with these properties."""

    def __init__(self, nginx, daemon, redis, database,  # noqa: F811
                 broker, **properties):
        topic = broker.topic(1)
        properties = {key.replace('_', '.'): str(value)
                      for key, value in properties.items()}
        common = dict(kafka_brokers=broker.secure, epoch=EPOCH,
                      kafka_topic=topic, kafka_property=[
                          '%s=%s' % one for one in properties.items()])
        self.relay = daemon('relay', kafka_group=topic + '-r',
                            redis=redis.uri, **common)
        self.archiver = daemon('archiver', kafka_group=topic + '-a',
                               postgres=database.conninfo, **common)
        self.history = daemon('history', postgres=database.conninfo,
                              kafka_topic=topic)
        self.node = nginx(
            workers=1, location='ws_chat_rate off;',
            zone='ws_chat_zone chat:1m delivery=durable;'
                 'ws_chat_redis chat %s; ws_chat_kafka_brokers %s;'
                 'ws_chat_kafka_topic %s partitions=1;'
                 'ws_chat_history_pass http://127.0.0.1:%d; %s'
                 % (redis.uri, broker.secure, topic, self.history.port,
                    ' '.join("ws_chat_kafka_property %s '%s';" % one
                             for one in properties.items())))


@pytest.fixture
def line(nginx, daemon, redis, database, secure):  # noqa: F811
    return lambda **properties: Line(
        nginx, daemon, redis, database, secure,
        security_protocol='sasl_ssl', **properties)


@pytest.mark.parametrize('mechanism', ['PLAIN', 'SCRAM-SHA-256'])
async def test_a_message(line, certificates, mechanism):
    one = await asyncio.to_thread(
        line, sasl_mechanism=mechanism, sasl_username=USER,
        sasl_password=PASSWORD, ssl_ca_location=certificates / 'ca.crt')
    await asyncio.to_thread(
        wait_for, lambda: one.node.request('/health').status == 200, PATIENT)
    async with await Client.connect(one.node, user='ann') as ann:
        await ann.join(ROOM)
        await ann.send(ROOM, 'hi', cid='c1')
        got = await ann.expect('message', cid='c1', timeout=PATIENT)
        assert got['message'] == 'hi'
    await asyncio.to_thread(
        wait_for, lambda: one.archiver.metrics()['messages_total'] == 1,
        PATIENT, 'it is archived')


@pytest.mark.parametrize('wrong, why', [
    ({'sasl.password': 'another'}, 'uthentication'),
    ({'ssl.ca.location': '/etc/ssl/certs/ca-certificates.crt'},
     'certificate verify failed'),
], ids=['password', 'ca'])
async def test_refused(line, certificates, wrong, why):
    """Each of them tells why."""
    properties = {'sasl.mechanism': 'SCRAM-SHA-256', 'sasl.username': USER,
                  'sasl.password': PASSWORD,
                  'ssl.ca.location': certificates / 'ca.crt', **wrong}
    one = await asyncio.to_thread(line, **properties)
    for who in one.relay, one.archiver:
        await asyncio.to_thread(
            wait_for, lambda: any(why in str(entry) for entry in who.lines()),
            PATIENT, 'the daemon says why')
        await asyncio.to_thread(
            wait_for, lambda: not who.healthy(), PATIENT, 'it is not ready')
    await asyncio.to_thread(
        wait_for, lambda: why in one.node.log(), PATIENT, 'the node says why')
