#!/usr/bin/env python3
"""Run the Autobahn|Testsuite against ws_chat_echo and judge the result.

run_autobahn.py [--jobs N] [--url URL] [CASES...]

All 517 cases have to run, and sections 1 to 7 and 10 (247 cases) again with
the input cut into single bytes; apart from the three cases that are always
INFORMATIONAL every verdict has to be OK, that of the close too.

CASES   patterns as wstest has them ('6.*'): only these, in one piece
--url   test another server, for comparison
"""

import argparse
import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / 'tests/e2e'))

from harness.nginx import Nginx  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
OUT = TOP / 'build/interop'
WSTEST = TOP / 'build/autobahn/bin/wstest'

INFORMATIONAL = {'7.1.6', '7.13.1', '7.13.2'}
PLAIN = ['1.*', '2.*', '3.*', '4.*', '5.*', '6.*', '7.*', '10.*']

# sections that take long come first, so that no process is left alone at
# the end; none depends on another
PIECES = ([['12.%d.*' % n] for n in range(1, 6)]
          + [['13.%d.*' % n] for n in range(1, 8)]
          + [['9.*'], PLAIN])

LOCATIONS = '''
        location /echo {
            ws_chat_echo;
            ws_chat_max_message 17m;
            ws_chat_max_fragments 70000;
            ws_chat_deflate on;
        }
'''


class Run:
    """Some cases against one URL, in a process of its own."""

    def __init__(self, agent, number, url, cases):
        self.agent = agent
        self.dir = OUT / agent / ('%02d' % number)
        self.spec = self.dir / 'spec.json'
        self.url = url
        self.cases = cases
        self.process = None

    def start(self):
        self.dir.mkdir(parents=True)
        self.spec.write_text(json.dumps({
            'outdir': str(self.dir),
            'servers': [{'agent': self.agent, 'url': self.url}],
            'cases': self.cases,
            'exclude-cases': [],
            'exclude-agent-cases': {},
        }))
        with open(self.dir / 'log', 'wb') as log:
            self.process = subprocess.Popen(
                [WSTEST, '-m', 'fuzzingclient', '-s', self.spec],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.dir)

    def results(self):
        try:
            text = (self.dir / 'index.json').read_text()
        except FileNotFoundError:
            log = (self.dir / 'log').read_text(errors='replace')
            print('%s: no report; %s' % (self.cases, log[-500:]))
            return {}
        return json.loads(text).get(self.agent, {})


def run_all(runs, jobs):
    """At most `jobs` at a time; the seconds it took."""
    begin = time.monotonic()
    waiting = collections.deque(runs)
    active = []
    try:
        while waiting or active:
            while waiting and len(active) < jobs:
                run = waiting.popleft()
                run.start()
                active.append(run)
            time.sleep(0.2)
            active = [run for run in active if run.process.poll() is None]
    finally:
        for run in active:
            run.process.kill()
            run.process.wait()
    return time.monotonic() - begin


def judge(runs, agent, expect):
    """Merge the reports of one agent and check every verdict."""
    cases = {}
    for run in runs:
        if run.agent != agent:
            continue
        for name, case in run.results().items():
            case['reportfile'] = '%s/%s' % (run.dir.name, case['reportfile'])
            cases[name] = case
    index = OUT / agent / 'index.json'
    index.write_text(json.dumps({agent: cases}))
    command = [sys.executable, HERE / 'check-autobahn', '--strict', index]
    if expect:
        command[3:3] = ['--expect', str(expect)]
    good = subprocess.run(command).returncode == 0

    informational = {name for name, case in cases.items()
                     if case['behavior'] == 'INFORMATIONAL'}
    if informational != INFORMATIONAL & set(cases):
        print('  INFORMATIONAL are %s' % sorted(informational))
        good = False
    return good and bool(cases)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--jobs', type=int,
                        default=int(os.environ.get('JOBS') or 2))
    parser.add_argument('--url')
    parser.add_argument('cases', nargs='*')
    args = parser.parse_args()

    shutil.rmtree(OUT, ignore_errors=True)
    ng = slicer = None
    try:
        url = args.url
        if url is None:
            ng = Nginx(server=LOCATIONS, store=False)
            url = ng.url + '/echo'
        if args.cases:
            expect = {'whole': None}
            runs = [Run('whole', 0, url, args.cases)]
        else:
            port = url.partition('//')[2].partition('/')[0].split(':')[1]
            slicer = subprocess.Popen(
                [sys.executable, HERE / 'slicer.py', port],
                stdout=subprocess.PIPE, text=True)
            sliced = url.replace(':' + port,
                                 ':' + slicer.stdout.readline().strip())
            expect = {'whole': 517, 'sliced': 247}
            runs = [Run('whole', n, url, cases)
                    for n, cases in enumerate(PIECES)]
            runs.append(Run('sliced', 0, sliced, PLAIN))
        seconds = run_all(runs, args.jobs)
        results = {agent: judge(runs, agent, count)
                   for agent, count in expect.items()}
        if ng is not None:
            ng.stop()
            ng = None
    finally:
        if slicer is not None:
            slicer.kill()
            slicer.wait()
            slicer.stdout.close()
        if ng is not None:
            ng.kill()
            ng.cleanup()

    bad = [agent for agent, good in results.items() if not good]
    print('interop: %d passed, %d failed in %d s; reports in build/interop' % (
        len(results) - len(bad), len(bad), seconds))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
