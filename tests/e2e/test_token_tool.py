"""The command that makes keys and tokens: what it makes is let in."""

import subprocess

import jwt
import pytest

from harness.client import Client
from harness.nginx import TOP

pytestmark = [pytest.mark.plain_store, pytest.mark.once]

TOOL = TOP / 'conf/jwt/ws-chat-token'


def run(*args):
    return subprocess.run([TOOL, *map(str, args)], text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize('alg', ['HS256', 'RS256', 'ES256', 'EdDSA'])
async def test_tokens(nginx, tmp_path, alg):
    tmp_path.chmod(0o755)
    key = tmp_path / 'key'
    public = key if alg == 'HS256' else tmp_path / 'key.pub'
    assert run('key', alg, key).returncode == 0
    assert key.stat().st_mode & 0o77 == 0
    ng = nginx(workers=1, location='ws_chat_auth jwt; ws_chat_jwt_key %s '
               'alg=%s; ws_chat_jwt_audience chat;' % (public, alg))

    # several: what r and s of ES256 begin with differs
    for _ in range(1 if alg == 'RS256' else 10):
        done = run('mint', key, 'Zo\xeb', '--ttl', '10m', '--kid', 'k',
                   '--aud', 'chat', '--info', '{"n":1}', '--moderate',
                   '--join', 'a.*', '--send', 'a.b')
        assert done.returncode == 0, done.stderr
        token = done.stdout.strip()
        a = await Client.connect(
            ng, headers={'Authorization': 'Bearer ' + token})
        assert a.welcome['user'] == 'Zo\xeb'
        await a.close()
    secret = public.read_bytes().strip() if alg == 'HS256' \
        else public.read_bytes()
    claims = jwt.decode(token, secret, [alg], audience='chat')
    assert claims['info'] == {'n': 1} and claims['moderate'] is True
    assert claims['chat'] == {'join': ['a.*'], 'send': ['a.b']}
    assert claims['exp'] - claims['iat'] == 600


def test_use(tmp_path):
    assert run('--version').stdout.startswith('ws-chat-token ')
    for args in (['--help'], ['key', '--help'], ['mint', '--help']):
        done = run(*args)
        assert done.returncode == 0 and 'usage' in done.stdout
    for args in ([], ['mint'], ['key', 'HS512', 'x'],
                 ['mint', 'x', 'ann', '--ttl', 'soon'],
                 ['mint', 'x', 'ann', '--info', '{']):
        assert run(*args).returncode == 2, args
    key = tmp_path / 'key'
    key.write_text('short')
    for args in (['mint', key, 'ann'], ['mint', tmp_path / 'none', 'ann'],
                 ['key', 'HS256', key], ['key', 'ES256', key]):
        done = run(*args)
        assert done.returncode == 1 and done.stderr.startswith(
            'ws-chat-token: '), args
