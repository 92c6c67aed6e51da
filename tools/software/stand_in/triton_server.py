"""Answers where Triton answers (KServe v2 over HTTP, metrics); a model gives back its inputs as its outputs."""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import tritonserver
from fleetyard_stand_in import record


def models(repository: Path) -> dict[str, list[str]]:
    """Name and versions of each model in a repository."""
    return {
        folder.name: sorted(each.name for each in folder.iterdir() if each.is_dir() and each.name.isdigit())
        for folder in sorted(repository.iterdir())
        if folder.is_dir()
    }


def handler(found: dict[str, list[str]], count: Counter[str]) -> type[BaseHTTPRequestHandler]:
    """Of one server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *words: Any) -> None:
            print(f"{self.address_string()} {format % words}", file=sys.stderr)

        def _say(self, status: int, body: object = None) -> None:
            text = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if isinstance(body, str) else "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.send_header("X-Stand-In", f"tritonserver {tritonserver.__version__}")
            self.end_headers()
            self.wfile.write(text)

        def do_GET(self) -> None:
            words = self.path.strip("/").split("/")
            if self.path == "/metrics":
                rows = [f'nv_inference_request_success{{model="{name}",version="1"}} {count[name]}' for name in found]
                self._say(200, "# TYPE nv_inference_request_success counter\n" + "\n".join(rows) + "\n")
            elif self.path in ("/v2/health/live", "/v2/health/ready"):
                self._say(200)
            elif self.path == "/v2":
                self._say(200, {"name": "triton (stand-in)", "version": tritonserver.__version__, "extensions": []})
            elif words[:2] == ["v2", "models"] and len(words) in (3, 4):
                if words[2] not in found:
                    self._say(400, {"error": f"Request for unknown model: '{words[2]}' is not found"})
                elif words[3:] == ["ready"]:
                    self._say(200)
                else:
                    about = {"name": words[2], "versions": found[words[2]], "platform": "stand-in"}
                    self._say(200, about | {"inputs": [], "outputs": []})
            else:
                self._say(404, {"error": "Not Found"})

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            words = self.path.strip("/").split("/")
            if words[:2] != ["v2", "models"] or words[3:] != ["infer"] or words[2] not in found:
                self._say(400, {"error": f"Request for unknown model: '{words[2:3]}' is not found"})
                return
            try:
                asked = json.loads(text)["inputs"]
            except (ValueError, KeyError):
                self._say(400, {"error": "failed to parse the request JSON buffer"})
                return
            record("tritonserver " + self.path, [str(row.get("name")) for row in asked])
            count[words[2]] += 1
            self._say(200, {"model_name": words[2], "model_version": "1", "outputs": asked})

    return Handler


def main() -> int:
    """`tritonserver --model-repository FOLDER`."""
    record("tritonserver", sys.argv[1:])
    parser = argparse.ArgumentParser(prog="tritonserver")
    parser.add_argument("--model-repository", type=Path, required=True)
    parser.add_argument("--http-address", default="0.0.0.0")  # noqa: S104 - as the real one has it
    parser.add_argument("--http-port", type=int, default=8000)
    parser.add_argument("--metrics-address", default="0.0.0.0")  # noqa: S104 - as the real one has it
    parser.add_argument("--metrics-port", type=int, default=8002)
    options, others = parser.parse_known_args()
    print(f"Triton {tritonserver.__version__} (stand-in); not used: {others}", file=sys.stderr)
    kind = handler(models(options.model_repository), Counter())
    metrics = ThreadingHTTPServer((options.metrics_address, options.metrics_port), kind)
    threading.Thread(target=metrics.serve_forever, daemon=True).start()
    ThreadingHTTPServer((options.http_address, options.http_port), kind).serve_forever()
    return 0
