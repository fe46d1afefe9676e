#!/usr/bin/env python3
"""A release bucket over HTTPS and HTTP on loopback, as ci/prove has the release binaries install from it.

    ci/bucket.py FOLDER CERTIFICATE KEY

Prints the port of each, and serves until standard input ends. Like S3 it stores programs gzipped, and
sends them so whatever was asked for.
"""

import functools
import http.server
import ssl
import sys
import threading


class Bucket(http.server.SimpleHTTPRequestHandler):
    def end_headers(self):
        if "/circleci-launch-agent" in self.path.partition("/circleci-launch-agent/")[2]:
            self.send_header("Content-Encoding", "gzip")
        super().end_headers()

    def log_message(self, *_):
        pass


folder, certificate, key = sys.argv[1:]
servers = [
    http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Bucket, directory=folder)) for _ in range(2)
]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
servers[0].socket = context.wrap_socket(servers[0].socket, server_side=True)
print(*(server.server_port for server in servers), flush=True)
for server in servers:
    threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
