"""A push agent in a process of its own that writes down each message before it acknowledges it, and may be told to die.

Arguments: port, journal and a file with the steps at which it died so far. The journal has a line for each delivery:
SIF_MsgId and SHA-256 of the bytes. It dies once at each step, in its third delivery, and goes on when started again.
"""

import hashlib
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from push_agent import ack_of

from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.messages import read_message

STEPS = ("read", "kept", "answered", "never")


def main(port: int, journal: Path, died: Path) -> None:
    deliveries = 0

    def die_at(place: str) -> None:
        if deliveries >= 3 and place == STEPS[len(died.read_text().splitlines())]:
            with died.open("a") as lines:
                lines.write(f"{place}\n")
            os.kill(os.getpid(), signal.SIGKILL)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            nonlocal deliveries
            deliveries += 1
            body = self.rfile.read(int(self.headers["content-length"]))
            die_at("read")
            msg_id = read_message(open_message(body)).msg_id
            with journal.open("a") as lines:
                lines.write(f"{msg_id} {hashlib.sha256(body).hexdigest()}\n")
                lines.flush()
                os.fsync(lines.fileno())
            die_at("kept")
            answer = ack_of(msg_id)
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(answer)
            self.wfile.flush()
            die_at("answered")

        def log_message(self, *_):
            pass

    class Server(HTTPServer):
        request_queue_size = 64

        def handle_error(self, *_):
            pass

    with Server(("127.0.0.1", port), Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
