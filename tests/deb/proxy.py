"""The way out of a machine that has no network: an HTTP proxy for its apt."""

import http.server
import socketserver
import threading
import urllib.error
import urllib.request

PORT = 3128
PASSED = ('Content-Type', 'Content-Range', 'Last-Modified', 'ETag')


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        asked = urllib.request.Request(self.path, headers={
            name: value for name, value in self.headers.items()
            if name in ('Range', 'If-Range', 'If-Modified-Since')})
        try:
            answer = urllib.request.urlopen(asked, timeout=60)
        except urllib.error.HTTPError as e:
            answer = e
        except OSError:
            self.send_error(502)
            return
        with answer:
            body = answer.read()
        self.send_response(answer.status)
        for name in PASSED:
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Proxy(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def __init__(self, machine):
        super().__init__(('127.0.0.1', PORT), Handler,
                         bind_and_activate=False)
        self.socket.close()
        self.socket = machine.listen(PORT)
        machine.write('/etc/apt/apt.conf.d/99proxy',
                      'Acquire::http::Proxy "http://127.0.0.1:%d";\n' % PORT)
        threading.Thread(target=self.serve_forever, daemon=True).start()
