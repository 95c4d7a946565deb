"""Members who do not keep up: what they miss is announced, where it is."""

import json
import random
import ssl
import subprocess
import types

import msgpack
import pytest

from harness.nginx import reserve_port, wait_for
from harness.raw import BINARY, TEXT, Raw, close_frame, frame

# what comes is looked at message by message
NGINX_HTTP = 'ws_chat_presence off;'

pytestmark = pytest.mark.plain_store

LOCATION = '''
    ws_chat_rate off; ws_chat_lag_limit %s; ws_chat_lag_policy %s;
    ws_chat_history 1000 1h;
'''
COUNT = 400


@pytest.fixture(params=['plain', 'tls', 'msgpack'])
def start(nginx, tmp_path, request):
    """Starts an Nginx and gives it `open`, which connects and joins."""
    tmp_path.chmod(0o755)
    port, keeper = reserve_port()

    def run(lag='64k', policy='gap'):
        server = ''
        if request.param == 'tls':
            subprocess.run(
                ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes',
                 '-days', '2', '-subj', '/CN=localhost', '-keyout',
                 tmp_path / 'key.pem', '-out', tmp_path / 'cert.pem'],
                check=True, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            server = '''
                listen 127.0.0.1:%d ssl reuseport;
                ssl_certificate %s/cert.pem;
                ssl_certificate_key %s/key.pem;
            ''' % (port, tmp_path, tmp_path)
        ng = nginx(workers=1, location=LOCATION % (lag, policy),
                   server=server)
        place = types.SimpleNamespace(port=port) if server else ng
        ng.open = lambda **options: Member(
            place, request.param if options.pop('slow', False) else 'plain',
            **options)
        return ng

    yield run
    keeper.close()


class Member:
    """A member of the chat `room` on a bare socket."""

    def __init__(self, place, kind, **options):
        port = types.SimpleNamespace(port=place.port)
        self.msgpack = kind == 'msgpack'
        self.raw = Raw(port, **options)
        if kind == 'tls' or getattr(place, 'process', None) is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.raw.sock = context.wrap_socket(self.raw.sock)
        self.raw.upgrade('/chat', {'Sec-WebSocket-Protocol':
                                   'chat.v1.msgpack' if self.msgpack
                                   else 'chat.v1.json'})
        assert self.read()['ev'] == 'welcome'
        self.write({'op': 'join', 'id': 0, 'chat_id': 'room'})
        joined = self.read()
        assert joined['ev'] == 'joined'
        self.at = joined['head']

    def write(self, command):
        self.raw.send(self.encode(command))

    def encode(self, command):
        if self.msgpack:
            return frame(msgpack.packb(command), BINARY)
        return frame(json.dumps(command), TEXT)

    def read(self):
        """The next event, but for who comes and goes."""
        while (event := self.read_event())['ev'] == 'presence':
            pass
        return event

    def read_event(self):
        got = self.raw.read_frame()
        if self.msgpack:
            assert got.opcode == BINARY, got
            return msgpack.unpackb(got.payload)
        assert got.opcode == TEXT, got
        return json.loads(got.payload)

    def follow(self, event):
        """The event is right where it stands; the number of a message."""
        if event['ev'] == 'gap':
            assert event['reason'] == 'slow' and event['after'] == self.at
            self.at = dict(event['before'], seq=event['before']['seq'] - 1)
            return None
        assert event['prev'] == (self.at if self.at['seq'] else None), (
            event['prev'], self.at)
        self.at = {k: event[k] for k in ('epoch', 'seq')}
        return int(event['message'].split(':')[0])


def talk(member, seed):
    """Send COUNT messages, each when the one before has come back."""
    rng = random.Random(seed)
    for i in range(COUNT):
        member.write({'op': 'send', 'chat_id': 'room', 'cid': 'c%d' % i,
                      'message': '%d:' % i + 'x' * rng.randrange(30000)})
        assert member.follow(member.read()) == i


def test_gap(start):
    ng = start()
    talker = ng.open()
    slow = ng.open(slow=True, rcvbuf=4096)
    for i in range(20):
        slow.write({'op': 'ping', 'id': i})
    talk(talker, 1)
    for i in range(20, 40):
        slow.write({'op': 'ping', 'id': i})
    # what is kept for the slow one is bounded
    wait_for(lambda: ng.status()['memory'] < 600000)
    pongs, seen, gaps = [], [], 0
    while len(pongs) < 40 or slow.at != talker.at:
        event = slow.read()
        if event['ev'] == 'pong':
            pongs.append(event['id'])
        elif event['ev'] == 'gap':
            gaps += 1
            slow.follow(event)
        else:
            seen.append(slow.follow(event))
    assert pongs == list(range(40))
    assert gaps and len(seen) < COUNT and seen == sorted(set(seen))
    assert ng.status()['gaps'] == gaps
    # and all is well from here on
    talker.write({'op': 'send', 'id': 1, 'chat_id': 'room', 'cid': 'z',
                  'message': '999:'})
    assert slow.follow(slow.read()) == 999


def test_what_the_kernel_keeps_counts(nginx):
    """A client that does not read is noticed before megabytes wait for it."""
    ng = nginx(workers=1, location=LOCATION % ('64k', 'gap'))
    talker, slow = (Member(ng, 'plain') for _ in range(2))
    for i in range(100):
        talker.write({'op': 'send', 'chat_id': 'room', 'cid': 'c%d' % i,
                      'message': '%d:' % i + 'x' * 8000})
        assert talker.follow(talker.read()) == i
    wait_for(lambda: ng.status()['memory'] < 300000)
    seen = []
    while slow.at != talker.at:
        seen.append(slow.follow(slow.read()))
    assert None in seen


def test_everything_within_the_limit(start):
    """A member that is only slower than the others misses nothing."""
    ng = start(lag='16m')
    talker = ng.open()
    slow = ng.open(slow=True, rcvbuf=4096)
    talk(talker, 2)
    seen = [slow.follow(slow.read()) for _ in range(COUNT)]
    assert seen == list(range(COUNT))
    wait_for(lambda: ng.status()['memory'] < 300000, what='all is trimmed')


def test_close(start):
    """The policy `close`: a slow member is sent away."""
    ng = start(policy='close')
    talker = ng.open()
    slow = ng.open(slow=True, rcvbuf=4096)
    talk(talker, 3)
    seen = []
    try:
        while True:
            got = slow.raw.read_frame()
            if got.opcode == 8:
                break
            seen.append(got)
        assert int.from_bytes(got.payload[:2], 'big') == 4108
    except (EOFError, ConnectionResetError):
        pass                       # two seconds were not enough to read it
    assert len(seen) < COUNT
    wait_for(lambda: ng.status()['connections'] == 1)


@pytest.mark.parametrize('policy', ['gap', 'close'])
def test_many_stop_reading(nginx, policy):
    """With the buffers that everybody has: gapped or closed one by one, and
    what is kept for all of them is what is kept for one."""
    ng = nginx(workers=1, location=LOCATION % ('64k', policy))
    talker, other, *deaf = (Member(ng, 'plain') for _ in range(22))
    most = sent = 0

    def left():
        """Is there a deaf one about whom nothing was done?"""
        status = ng.status()
        return 22 - status['members'] + status['gaps'] < len(deaf)

    while left() or sent < COUNT:
        assert sent < 10 * COUNT
        talker.write({'op': 'send', 'chat_id': 'room', 'cid': 'c%d' % sent,
                      'message': '%d:' % sent + 'x' * 5000})
        for member in talker, other:
            assert member.follow(member.read()) == sent
        sent += 1
        most = max(most, ng.status()['memory'])
    assert most < 600000
    if policy == 'close':
        wait_for(lambda: ng.status()['connections'] == 2)
        return
    for member in deaf:
        seen = []
        while member.at != talker.at:
            seen.append(member.follow(member.read()))
        assert None in seen and len(seen) < sent
        assert [n for n in seen if n is not None] == sorted(
            {n for n in seen if n is not None})


def test_slow_member_leaves(start):
    """What a slow member has not read does not stay behind it."""
    ng = start(lag='16m')
    talker = ng.open()
    slow = ng.open(slow=True, rcvbuf=4096)
    talk(talker, 4)
    slow.write({'op': 'leave', 'id': 1, 'chat_id': 'room'})
    while True:
        event = slow.read()
        if event['ev'] == 'left':
            break
        slow.follow(event)
    wait_for(lambda: ng.status()['memory'] < 300000, what='all is trimmed')
    slow.raw.send(close_frame())
    assert slow.raw.read_close()[0] == 1000


def test_others_are_not_held_up(start):
    """Small rooms go on while a large one has a slow member."""
    ng = start(lag='16m')
    talker = ng.open()
    slow = [ng.open(slow=True, rcvbuf=4096) for _ in range(5)]
    talk(talker, 5)
    with Raw(ng) as r:
        r.upgrade('/chat?join=small')
        assert json.loads(r.read_frame().payload)['ev'] == 'welcome'
        r.send_frame(json.dumps({'op': 'send', 'id': 1, 'chat_id': 'small',
                                 'cid': 'a', 'message': 'm'}))
        got = [json.loads(r.read_frame().payload)['ev'] for _ in range(2)]
        assert sorted(got) == ['ack', 'message']
    for one in slow:
        one.raw.reset()
