#!/usr/bin/env python3
"""Check what a compiler does not: layers, style, words, scripts.

lint.py [TOP]

Prints `file:line: what is wrong; what to do` and exits 1 if there is any.
"""

import os
import pathlib
import re
import subprocess
import sys

MODULE = 'ngx_ws_chat_module'
BACKEND = 'backend'

# The layers, lowest first. A file includes and calls downward, or sideways
# within its layer as long as no circle closes; upward only through a pointer
# that the module file sets. Names without prefix: wsc_* in core/, bk_* in
# backend/ and its core/, else ngx_ws_chat_*; `cmd` stands for cmd_json and the like, too.
LAYERS = [
    ('core leaf', 'wsc_', 'backoff base base64 buf bucket cluster cookie'
                          ' deflate epoch frame hist info json keys latest'
                          ' marks mask msgpack number pace presence progress'
                          ' prom resp sorted sticky tally time token utf8 value'
                          ' wheel writer'),
    ('core protocol', 'wsc_', 'bans cmd conn envelope event follow grant'
                              ' handshake jwt message news page record'
                              ' roomlog shmlog shmkeep shmring sse sweep'),
    ('daemons: core', 'bk_', 'pattern record'),
    ('daemons: common', 'bk_', 'daemon http log mem opt status'),
    ('daemons: peers', 'bk_', 'ask copy kafka pg pool redis'),
    ('daemons: work', 'bk_', 'archive history relay'),
    ('daemons: programs', 'ws_chat_', 'archiver history relay'),
    ('front', 'ngx_ws_chat_', 'sticky'),
    ('configuration', 'ngx_ws_chat_', 'conf mem now zone'),
    ('identity', 'ngx_ws_chat_', 'auth authorize cors'),
    ('bus, send, log', 'ngx_ws_chat_',
     'bus events flush kafka limit log pack redis send stat stream'),
    ('store', 'ngx_ws_chat_', 'live shm store'),
    ('room', 'ngx_ws_chat_', 'marks presence room state'),
    ('client', 'ngx_ws_chat_', 'ban client op reply'),
    ('session', 'ngx_ws_chat_', 'session'),
    ('admission', 'ngx_ws_chat_', 'admit body refusal'),
    ('entry', 'ngx_ws_chat_',
     'api health metrics post release sample sse status upgrade'),
    ('module', 'ngx_ws_chat_', 'module'),
]

COLUMNS = 79
FUNCTION = 60
FILE_LINES = {'core': 500, 'glue': 800, 'header': 150}

SKIP = {'.git', 'build', 'node_modules', '__pycache__', '.pytest_cache'}
BINARY = {'.png', '.jpg', '.ico', '.woff2', '.so', '.o', '.a', '.pyc'}

# what core code never does itself; a member of that name is no call
CORE_CALLS = re.compile(
    r'(?<![\w>.])('
    r'malloc|calloc|realloc|free|strdup|alloca'
    r'|time|clock|clock_gettime|gettimeofday|localtime|gmtime'
    r'|rand|random|srand|getrandom|getenv'
    r'|printf|fprintf|vprintf|vfprintf|puts|fputs|perror|syslog'
    r'|fopen|open|close|read|write|pread|pwrite|ioctl|fcntl|mmap'
    r'|socket|connect|bind|listen|accept|send|recv|sendmsg|recvmsg|writev'
    r'|readv|poll|select|epoll_wait|fork|signal|kill|sleep|usleep'
    r'|abort|exit|assert)\s*\(')
CORE_HEADERS = re.compile(
    r'#include\s*[<"](ngx_\w*\.h|sys/socket\.h|time\.h|sys/time\.h|unistd\.h'
    r'|pthread\.h|assert\.h|signal\.h)[>"]')
GLOBAL = re.compile(r'static\s+(?!const\b|inline\b)[^()]*[;={]\s*$')

# written so that none matches itself
WORDS = [
    (r'\bTOD[O]\b|\bFIXM[E]\b|\bXX[X]\b', 'an unfinished place'),
    (r'(?<![\w.~-])/wor[k]/|\.\./share[d]\b|(?<![\w.-])/roo[t]/'
     r'|(?<![\w.-])/hom[e]/\w', 'a path of one machine'),
    (r'\bfarm-(studi[o]|benc[h])\b|\bissues sho[w]\b|`duplicate[s]`',
     'a tool of a workplace'),
    (r'\b[Ss]tep [1-6] o[f] [1-6]\b|\b[Ii]ssue #?\d+\b|\bthis ste[p]\b'
     r'|\bsub-?agen[t]\b', 'how the work was organised'),
    (r'pypi\.or[g]|pythonhosted\.or[g]|npmjs\.(or[g]|co[m])|crates\.i[o]'
     r'|golang\.or[g]|maven\.or[g]|deb\.debian\.or[g]|/opt/wheel[s]',
     'a registry host'),
]

problems = []


def problem(path, line, text):
    problems.append('%s:%d: %s' % (path, line, text))


# the files

def all_files(top):
    for base, dirs, names in os.walk(top):
        dirs[:] = sorted(d for d in dirs if d not in SKIP)
        for name in sorted(names):
            path = pathlib.Path(base, name)
            if path.suffix not in BINARY and not path.is_symlink():
                yield path


def read_text(path):
    """The text, or None for what is no text (a corpus file, say)."""
    data = path.read_bytes()
    if b'\0' in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def blank(match):
    return re.sub(r'[^\n]', ' ', match[0])


def strip_c(text, strings=True):
    """The text with comments (and literals) blanked, lines kept."""
    token = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                       re.S)

    def one(match):
        if match[0].startswith('/*') or strings:
            return blank(match)
        return match[0]

    return token.sub(one, text)


# layers

def layer_table():
    """Prefix of the names of files and functions -> (rank, layer)."""
    return {prefix + name: (rank, layer)
            for rank, (layer, prefix, names) in enumerate(LAYERS)
            for name in names.split()}


def place(name, table):
    """(rank, layer) of a file or function, or None."""
    while name and name not in table:
        name = name.rpartition('_')[0]
    return table.get(name)


def check_layers(path, code, text, table, graph):
    """Includes and calls go downward."""
    if place(path.stem, table) is None:
        problem(path, 1, 'not in the layer table; give it its place in '
                         'tests/lint/lint.py')
        return
    rank, layer = place(path.stem, table)

    for number, line in enumerate(text.splitlines(), 1):
        include = re.match(r'\s*#\s*include\s*"(?:core/)?([^"]+)\.h"', line)
        if not include:
            continue
        name = include[1]
        if place(name, table) is None:
            problem(path, number, '"%s.h" is in no layer; '
                                  'add it in tests/lint/lint.py' % name)
        elif place(name, table)[0] > rank:
            problem(path, number, 'layer "%s" includes "%s.h" of layer "%s" '
                    'above it; turn the dependency round, or let the module '
                    'file set a pointer' % (layer, name,
                                            place(name, table)[1]))
        graph.setdefault(path.name, {}).setdefault(
            name + '.h', (path, number))

    for number, line in enumerate(code.splitlines(), 1):
        for call in re.finditer(r'\b((?:wsc|bk|ngx_ws_chat)_\w+)\s*\(', line):
            owner = place(call[1], table)
            if owner and owner[0] > rank:
                problem(path, number, 'layer "%s" calls %s() of layer "%s" '
                        'above it' % (layer, call[1], owner[1]))


def note_names(path, code, owners, uses):
    """Which file defines a name of core, and where others use it."""
    lines = code.splitlines()
    for number, line in enumerate(lines, 1):
        defined = re.match(r'(\w+)\(', line)
        if defined and not lines[number - 2].startswith('static'):
            owners[defined[1]] = path.name
        for name in re.findall(r'\b(?:wsc|bk)_\w+', line):
            uses.setdefault(path.name, {}).setdefault(name, (path, number))


def call_graph(owners, uses):
    """Who uses what another file defines, as check_circles() takes it."""
    graph = {}
    for user, names in uses.items():
        for name, where in names.items():
            if owners.get(name, user) != user:
                graph.setdefault(user, {}).setdefault(owners[name], where)
    return graph


def check_circles(graph, what):
    """No two files are tied both ways, at any distance."""
    state = {}

    def visit(name, trail):
        state[name] = 'open'
        for other, (path, number) in graph.get(name, {}).items():
            if state.get(other) == 'open':
                circle = trail[trail.index(other):] + [other]
                problem(path, number, '%s go in a circle: %s'
                        % (what, ' -> '.join(circle)))
            elif other not in state:
                visit(other, trail + [other])
        state[name] = 'done'

    for name in sorted(graph):
        if name not in state:
            visit(name, [name])


def check_core(path, code, text):
    """Core code is pure: time, memory and randomness are arguments."""
    code_lines = code.splitlines()
    for number, line in enumerate(text.splitlines(), 1):
        if CORE_HEADERS.match(line):
            problem(path, number, 'core includes %s; core is pure C'
                    % line.split(None, 1)[1])
        stripped = code_lines[number - 1]
        for call in CORE_CALLS.finditer(stripped):
            problem(path, number, 'core calls %s(); memory, time and I/O '
                                  'are arguments' % call[1])
        if re.search(r'\bngx_\w+', stripped):
            problem(path, number, 'an NGINX name in core')
        if GLOBAL.match(stripped):
            problem(path, number, 'a variable of the file in core; state '
                                  'belongs to the caller')


def check_tests_c(path, text):
    """Test programs stand on core alone."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r'\s*#\s*include\s*[<"]ngx_', line):
            problem(path, number, 'tests use core only')


# style of C

def check_c_style(path, code, text):
    lines = text.split('\n')
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            problem(path, number, '%d columns; break it before %d'
                    % (len(line), COLUMNS + 1))
        if '\t' in line:
            problem(path, number, 'a tab; use 4 spaces')
    for number, line in enumerate(code.splitlines(), 1):
        if '//' in line:
            problem(path, number, '// comment; use /* */')
    check_functions(path, code.split('\n'), lines)


def check_functions(path, code, lines):
    """Shape of each function: a { and a } in the first column."""
    begin = None
    for i, line in enumerate(code):
        if line.rstrip() == '{':
            begin = i
            head = i - 1
            while head > 0 and (not code[head] or code[head][0] in ' \t'):
                head -= 1
            if not re.match(r'\w+\(', code[head]):
                problem(path, head + 1, 'the return type stands on a line '
                                        'of its own, the name begins a line')
        elif line.rstrip() == '}' and begin is not None:
            body = i - begin - 1
            if body > FUNCTION:
                problem(path, begin + 1, 'a function of %d lines; make two '
                        'of it, %d is the limit' % (body, FUNCTION))
            begin = None
            check_gap(path, lines, i)


def check_gap(path, lines, end):
    """What follows the } of a function."""
    after = end + 1
    while after < len(lines) and not lines[after].strip():
        after += 1
    if after >= len(lines):
        return
    gap = after - end - 1
    if lines[after].startswith('#') and gap >= 1:
        return
    if gap != 2:
        problem(path, after + 1, '%d blank lines after a function; two' % gap)


def check_size(path, text):
    count = text.count('\n')
    if path.suffix == '.h':
        kind = 'header'
    elif path.parts[-2] == 'core':
        kind = 'core'
    else:
        kind = 'glue'
    if count > FILE_LINES[kind]:
        problem(path, count, '%d lines; a %s file has at most %d: one job a '
                'file' % (count, kind, FILE_LINES[kind]))


# style of everything

def check_text(path, text):
    lines = text.split('\n')
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            problem(path, number, 'white space at the end of the line')
        for pattern, what in WORDS:
            found = re.search(pattern, line)
            if found:
                problem(path, number, '%s: "%s"; say it without'
                        % (what, found[0]))
    if text and not text.endswith('\n'):
        problem(path, len(lines), 'no newline at the end')
    if text.endswith('\n\n'):
        problem(path, len(lines) - 1, 'blank lines at the end')


def check_script(path, text):
    """Syntax of shell, Python and JavaScript."""
    first = text.split('\n', 1)[0]
    command = None
    if first.startswith('#!') and re.search(r'\bbash\b', first):
        command = ['bash', '-n']
    elif first.startswith('#!') and re.search(r'\bsh\b', first):
        command = ['sh', '-n']
    elif path.suffix in ('.js', '.mjs'):
        command = ['node', '--check']
    elif path.suffix == '.py' or 'python' in first and first.startswith('#!'):
        try:
            compile(text, str(path), 'exec')
        except SyntaxError as e:
            problem(path, e.lineno or 1, 'Python: %s' % e.msg)
    if first.startswith('#!') and not os.access(path, os.X_OK):
        problem(path, 1, 'a script that cannot be run; chmod +x')
    if command is None:
        return
    done = subprocess.run(command + [str(path)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        problem(path, 1, '%s: %s' % (' '.join(command),
                                     done.stdout.strip()[:300]))


def check_c(path, text, table, graph, names):
    code = strip_c(text)
    check_c_style(path, code, text)
    if path.parts[0] == 'tests':
        check_tests_c(path, text)
        return
    if path.parts[0] not in (MODULE, BACKEND):
        return
    check_size(path, text)
    check_layers(path, code, strip_c(text, strings=False), table, graph)
    if path.parts[1] == 'core':
        check_core(path, code, text)
        if path.suffix == '.c':
            note_names(path, code, *names)


def main():
    top = sys.argv[1] if len(sys.argv) > 1 else \
        pathlib.Path(__file__).resolve().parents[2]
    os.chdir(top)
    table = layer_table()
    graph = {}
    names = ({}, {})
    count = 0
    for path in all_files('.'):
        text = read_text(path)
        if text is None or 'corpus' in path.parts:
            continue
        count += 1
        check_text(path, text)
        check_script(path, text)
        if path.suffix in ('.c', '.h'):
            check_c(path, text, table, graph, names)
    check_circles(graph, 'includes')
    check_circles(call_graph(*names), 'calls')
    for text in problems:
        print(text)
    print('lint: %d files, %d to mend' % (count, len(problems)))
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
