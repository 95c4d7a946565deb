"""The figures of a run become tables of the documents."""

import pytest

from bench import figures
from bench.cases import CASES
from bench.server import Ours


def result(name, peers):
    """As Case.result() gives it, of figures that are all the same."""
    case = CASES[name]
    numbers = {one[1]: 7.0 for one in case.rows}
    return {'title': case.name, 'targets': [],
            'rounds': {peer: [numbers] * 3 for peer in peers},
            'medians': {peer: numbers for peer in peers},
            'ratios': {peer: dict.fromkeys(numbers, 1.0) for peer in peers
                       if not peer.startswith(Ours.name)}}


@pytest.fixture
def saved():
    about = {'cpu': 'Some CPU', 'cpus': 2, 'kernel': '6', 'nginx': '1'}
    results = {name: result(name, [peer.name for peer in case.peers])
               for name, case in CASES.items() if name != 'growth'}
    results['growth'] = {
        'title': 'growth', 'rounds': {'chats': [{}] * 5}, 'targets': [],
        'medians': {'chats': {'10': 1, '100': 2, '1000': 3, '10000': None},
                    'bare': {'10': 1, '100': 1, '1000': 1, '10000': 1}},
        'ratios': {'bare': {'10': 1, '100': 2, '1000': 3, '10000': None}}}
    return {'machine': about, 'cases': results}


def test_every_case_has_its_rows(saved):
    lines = figures.summary(saved['cases']).splitlines()
    rows = sum(len(case.rows) for case in CASES.values())
    assert len(lines) == 2 + rows + 1 + 4
    for line in lines[2:2 + rows]:
        assert line.count('|') == 6 and '7' in line.split('|')[2]
    assert any(line.count('(1.00)') == 3 for line in lines)
    assert lines[-2:] == ['| chats | 1.00 | 2.00 | 3.00 |  |',
                          '| bare | 1.00 (1.00) | 1.00 (2.00) | 1.00 (3.00) '
                          '| 1.00 |']


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Two documents, which show nothing yet."""
    made = (figures.Place(tmp_path / 'SHORT.md', ('fan-50', 'idle')),
            figures.Place(tmp_path / 'LONG.md', tuple(CASES)))
    monkeypatch.setattr(figures, 'PLACES', made)
    monkeypatch.setattr(figures, 'FIGURES', tmp_path / 'figures.json')
    for place in made:
        place.path.write_text('a\n%s%sb\n' % (figures.BEGIN, figures.END))
    return made


def test_save(saved, places):
    assert not any(figures.differs(place) for place in places)
    figures.save(saved)
    short, whole = (place.path.read_text() for place in places)
    for text in (short, whole):
        assert text.startswith('a\n' + figures.BEGIN)
        assert text.endswith(figures.END + 'b\n')
        assert 'Some CPU, 2 processors' in text
    assert 'Medians of 3 interleaved rounds' in short
    assert 'Medians of 3 to 5 interleaved rounds' in whole
    assert '1,000/s' in whole and '1,000/s' not in short
    assert not any(figures.differs(place) for place in places)


def test_what_was_changed_by_hand_differs(saved, places):
    figures.save(saved)
    path = places[0].path
    path.write_text(path.read_text().replace('7.00', '6.99'))
    assert [figures.differs(place) for place in places] == [True, False]


def test_figures_that_nobody_kept_differ(places):
    path = places[1].path
    path.write_text(path.read_text().replace(
        figures.END, '| fast | 1 |\n' + figures.END))
    assert [figures.differs(place) for place in places] == [False, True]


def test_a_document_without_the_place(saved, places):
    """Nothing is written then."""
    places[1].path.write_text('a\n')
    with pytest.raises(figures.BenchError):
        figures.save(saved)
    assert not figures.FIGURES.exists()
