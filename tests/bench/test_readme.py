"""README shows the figures that are kept, and nothing else."""

import json

import pytest

from bench import readme
from bench.cases import CASES
from bench.server import Ours


def test_readme_shows_the_figures():
    inside = readme.parts()[1]
    if not readme.FIGURES.exists():
        assert inside == ''
        return
    saved = json.loads(readme.FIGURES.read_text())
    assert set(saved['cases']) <= set(CASES)
    assert inside == readme.section(saved)


def result(name, peers):
    """As Case.result() gives it, of figures that are all the same."""
    case = CASES[name]
    figures = {one[1]: 7.0 for one in case.rows}
    return {'title': case.name, 'targets': [],
            'rounds': {peer: [figures] * 3 for peer in peers},
            'medians': {peer: figures for peer in peers},
            'ratios': {peer: dict.fromkeys(figures, 1.0) for peer in peers
                       if not peer.startswith(Ours.name)}}


@pytest.fixture
def saved():
    about = {'cpu': 'Some CPU', 'cpus': 2, 'kernel': '6', 'nginx': '1'}
    results = {name: result(name, [peer.name for peer in case.peers])
               for name, case in CASES.items() if name != 'growth'}
    results['growth'] = {
        'title': 'growth', 'rounds': {'chats': [{}]}, 'targets': [],
        'medians': {'chats': {'10': 1, '100': 2, '1000': 3, '10000': None}},
        'ratios': {}}
    return {'machine': about, 'cases': results}


def test_every_case_has_its_rows(saved):
    lines = readme.summary(saved['cases']).splitlines()
    rows = sum(len(case.rows) for case in CASES.values())
    assert len(lines) == 2 + rows + 1 + 3
    for line in lines[2:2 + rows]:
        assert line.count('|') == 6 and '7' in line.split('|')[2]
    assert any(line.count('(1.00)') == 3 for line in lines)
    assert lines[-1] == '| chats | 1.00 | 2.00 | 3.00 |  |'


def test_save(saved, tmp_path, monkeypatch):
    monkeypatch.setattr(readme, 'README', tmp_path / 'README.md')
    monkeypatch.setattr(readme, 'FIGURES', tmp_path / 'figures.json')
    readme.README.write_text('a\n%sold\n%sb\n' % (readme.BEGIN, readme.END))
    readme.save(saved)
    test_readme_shows_the_figures()
    text = readme.README.read_text()
    assert text.startswith('a\n' + readme.BEGIN)
    assert text.endswith(readme.END + 'b\n')
    assert 'old' not in text and 'Some CPU, 2 processors' in text


def test_a_readme_without_the_place(tmp_path, monkeypatch):
    monkeypatch.setattr(readme, 'README', tmp_path / 'README.md')
    readme.README.write_text('a\n')
    with pytest.raises(readme.BenchError):
        readme.parts()
