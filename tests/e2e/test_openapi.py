"""docs/openapi.yaml and the server have the same calls."""

import json
import re

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from harness.nginx import TOP

SPEC = yaml.safe_load((TOP / 'docs/openapi.yaml').read_text())
VALUES = {'chat_id': 'room', 'user': 'ann', 'position': '1:1'}
BODIES = {'NewMessage': {'sender': 'ann', 'message': {'text': 'hi'}},
          'Kick': {'user': 'bob', 'seconds': 1},
          'OtherMessage': {'message': 'ho'}}
METHODS = {'get', 'post', 'patch', 'delete', 'put'}


def calls():
    """(method, path) of all there are."""
    return [(method, path) for path, item in SPEC['paths'].items()
            for method in item if method in METHODS]


def filled(path):
    return re.sub(r'\{(\w+)\}', lambda found: VALUES[found[1]], path)


def schema_of(content):
    """The schema of a content, with what it refers to."""
    return {'$schema': 'https://json-schema.org/draft/2020-12/schema',
            'components': SPEC['components'],
            **content['application/json']['schema']}


def body_of(method, path):
    """A body of the call's own kind, for calls that have one."""
    body = SPEC['paths'][path][method].get('requestBody')
    if not body or not body.get('required'):
        return None
    kind = re.search(r"schemas/(\w+)", json.dumps(body))[1]
    return json.dumps(BODIES[kind])


def resolve(item):
    while '$ref' in item:
        target = SPEC
        for name in item['$ref'].lstrip('#/').split('/'):
            target = target[name]
        item = target
    return item


def test_valid():
    validate(SPEC)


def test_routes():
    """Those of the server's table, each once."""
    source = (TOP / 'ngx_ws_chat_module/ngx_ws_chat_api.c').read_text()
    table = re.findall(r'\{ NGX_HTTP_(\w+), "([a-z*/]+)"', source)
    assert len(table) == len(set(table))
    ours = sorted((method.upper(), re.sub(r'\{\w+\}', '*', path[1:]))
                  for method, path in calls())
    assert ours == sorted(table)


@pytest.mark.plain_store
@pytest.mark.once
def test_answers(nginx):
    """Each call is answered as the file says."""
    ng = nginx(workers=1)
    for method, path in calls():
        response = ng.request('/api' + filled(path), method.upper(),
                              body=body_of(method, path))
        known = SPEC['paths'][path][method]['responses']
        assert str(response.status) in known, (method, path, response)
        answer = resolve(known[str(response.status)])
        Draft202012Validator(schema_of(answer['content'])).validate(
            json.loads(response.body))
    ng.drain(False)


@pytest.mark.plain_store
@pytest.mark.once
def test_keys(nginx):
    """Each call needs the key, and says so alike."""
    ng = nginx(workers=1, start=False, server='''
        location /keyed/ { ws_chat_api zone=chat; ws_chat_api_key keys; }
    ''')
    (ng.dir / 'keys').write_text('0123456789abcdef\n')
    ng.start()
    for method, path in calls():
        response = ng.request('/keyed' + filled(path), method.upper(),
                              body=body_of(method, path))
        assert response.status == 401, (method, path)
        assert json.loads(response.body)['code'] == 'unauthorized'
