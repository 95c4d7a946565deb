"""The NGINX front of conf/nginx/front.conf, before nodes of a test.

    front = Front([a, b])       # Nginx, or text for `server`
    front.port, front.url, front.request('/who')
    front.reload(), front.stop()
"""

import re

from .nginx import TOP, Nginx, module_path

CONF = TOP / 'conf/nginx/front.conf'
COOKIE = 'ws_chat_node'
KEY = 'a key of the tests, thirty-two octets or more'
STICKY = 'cookie=%s key=sticky.key httponly' % COOKIE


def sticky_module():
    """The front's module, of the same build as the nodes'."""
    return module_path().with_name('ngx_ws_chat_sticky_module.so')


def server_of(node):
    """What stands behind `server` for a node."""
    if isinstance(node, str):
        return node
    return '127.0.0.1:%d fail_timeout=5s' % node.port


class Front(Nginx):
    """One running front; nothing of the chat's module is loaded.

    nodes    Nginx, or texts like '127.0.0.1:81 weight=2'
    key      content of the key file, text or bytes
    sticky   parameters of ws_chat_sticky
    method   the balancing method before it ('' is round robin)
    zone     False: each worker counts for itself
    extra    more directives for the location
    server   more of the server, other locations for example
    upstream more of the upstream, behind ws_chat_sticky
    """

    def __init__(self, nodes, key=KEY, sticky=STICKY, method='least_conn;',
                 zone=True, extra='', server='', upstream='', workers=2,
                 level=None, start=True):
        self.edited = CONF.read_text(encoding='utf-8')
        self._edit(r'modules/ngx_ws_chat_sticky_module\.so',
                   '"%s"' % sticky_module())
        self._edit(r'(?=\nworker_processes)', '\n<user>')
        self._edit(r'worker_processes \d+', 'worker_processes %d' % workers)
        self._edit(r'error\.log', 'error.log <level>')
        self._edit(r'listen 127\.0\.0\.1:8080', 'listen 127.0.0.1:<port>')
        self._edit(r'least_conn;', method)
        if not zone:
            self._edit(r'zone chat 256k;', '')
        self._edit(r'cookie=ws_chat_node key=sticky\.key httponly;',
                   '%s;\n        %s' % (sticky, upstream))
        self._edit(r'( +server [^;{]+;\n)+', ''.join(
            '        server %s;\n' % server_of(node) for node in nodes))
        self._edit(r'\n        location / {',
                   '\n        %s\n        location / {\n            %s' % (
                       server, extra))
        conf = self.edited.replace('{', '{{').replace('}', '}}')
        super().__init__(conf=re.sub(r'<(user|level|port)>', r'{\1}', conf),
                         workers=workers, level=level, start=False)
        self.write_key(key)
        if start:
            self.start()

    def _edit(self, pattern, text):
        self.edited, count = re.subn(pattern, lambda _: text, self.edited,
                                     count=1)
        assert count == 1, '%s has no %s' % (CONF, pattern)

    def write_key(self, key):
        """The key file for the next start or reload."""
        path = self.dir / 'sticky.key'
        path.write_bytes(key.encode() if isinstance(key, str) else key)
        path.chmod(0o600)
