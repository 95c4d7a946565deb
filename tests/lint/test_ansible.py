"""The variables of the roles, and what docs/ANSIBLE.md says of them."""

import pathlib
import re

import pytest
import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (TOP / 'ansible/roles').iterdir())
DOC = (TOP / 'docs/ANSIBLE.md').read_text()


def read(role, name):
    return yaml.safe_load(
        (TOP / 'ansible/roles' / role / name).read_text()) or {}


def options(role):
    specs = read(role, 'meta/argument_specs.yml')
    return specs['argument_specs']['main']['options']


def default(values, name, option):
    """How the table shows it: what is long or computed stands in the role."""
    if option.get('required'):
        return 'needed'
    value = values[name]
    if value in ('', [], {}):
        return 'none'
    if isinstance(value, bool):
        return '`%s`' % str(value).lower()
    if isinstance(value, (dict, list)) or '{{' in str(value):
        return 'see the role'
    return '`%s`' % value


def table(role):
    values = read(role, 'defaults/main.yml')
    return ['| `%s` | %s | %s |' % (
        name, default(values, name, option), option['description'])
        for name, option in options(role).items()]


@pytest.mark.parametrize('role', ROLES)
def test_specs(role):
    """Each variable with a default is specified, the others are needed."""
    values = read(role, 'defaults/main.yml')
    needed = {name for name, option in options(role).items()
              if option.get('required')}
    assert set(options(role)) - needed == set(values)
    assert not needed & set(values)


def test_topics():
    """Those of ws-chat-topics, with the same settings."""
    made = re.findall(r'(?m)^make --topic (\S+)(?: --config (\S+))?$',
                      (TOP / 'conf/kafka/topics').read_text())
    topics = read('kafka', 'defaults/main.yml')['kafka_topics']
    assert made == [(t['name'], t.get('config', '')) for t in topics]


@pytest.mark.parametrize('role', ROLES)
def test_documented(role):
    section = re.search(r'(?ms)^### %s\b.*?(?=^##|\Z)' % role, DOC)
    assert section, 'docs/ANSIBLE.md has no section of %s' % role
    found = [line for line in section[0].splitlines()
             if line.startswith('| `')]
    assert found == table(role), 'it is to be:\n' + '\n'.join(table(role))
