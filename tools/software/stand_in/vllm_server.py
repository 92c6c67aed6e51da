"""Answers where vLLM's OpenAI-compatible server answers; tokens are counted, not computed."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import vllm
from fleetyard_stand_in import record

REPLY = "This is a stand-in for vLLM: no model was asked."


class State:
    """What metrics count."""

    def __init__(self, model: str) -> None:
        self.model, self.lock = model, threading.Lock()
        self.requests = self.read = self.written = 0

    def metrics(self) -> str:
        """In vLLM's names."""
        label = f'{{model_name="{self.model}"}}'
        rows = {
            "num_requests_running": ("gauge", 0),
            "num_requests_waiting": ("gauge", 0),
            "kv_cache_usage_perc": ("gauge", 0),
            "prompt_tokens_total": ("counter", self.read),
            "generation_tokens_total": ("counter", self.written),
            "request_success_total": ("counter", self.requests),
        }
        return "".join(
            f"# HELP vllm:{name} stand-in\n# TYPE vllm:{name} {kind}\nvllm:{name}{label} {value}\n"
            for name, (kind, value) in rows.items()
        )


def handler(state: State, key: str) -> type[BaseHTTPRequestHandler]:
    """Of one server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *words: Any) -> None:
            print(f"{self.address_string()} {format % words}", file=sys.stderr)

        def _say(self, status: int, text: str, kind: str = "application/json") -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Stand-In", f"vllm {vllm.__version__}")
            self.end_headers()
            self.wfile.write(body)

        def _may(self) -> bool:
            if not key or self.headers.get("Authorization") == f"Bearer {key}":
                return True
            self._say(401, json.dumps({"error": "Unauthorized"}))
            return False

        def do_GET(self) -> None:
            if self.path == "/health":
                self._say(200, "")
            elif self.path == "/metrics":
                self._say(200, state.metrics(), "text/plain; version=0.0.4")
            elif self.path == "/version":
                self._say(200, json.dumps({"version": vllm.__version__}))
            elif self.path == "/v1/models" and self._may():
                row = {"id": state.model, "object": "model", "owned_by": "vllm (stand-in)"}
                self._say(200, json.dumps({"object": "list", "data": [row]}))
            elif not self.path.startswith("/v1/"):
                self._say(404, json.dumps({"detail": "Not Found"}))

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not self._may():
                return
            try:
                asked = json.loads(text)
            except ValueError:
                self._say(400, json.dumps({"error": {"message": "no JSON", "type": "BadRequestError", "code": 400}}))
                return
            if asked.get("model") != state.model:
                said = f"The model `{asked.get('model')}` does not exist."
                self._say(404, json.dumps({"error": {"message": said, "type": "NotFoundError", "code": 404}}))
                return
            if self.path not in ("/v1/chat/completions", "/v1/completions"):
                self._say(404, json.dumps({"detail": "Not Found"}))
                return
            record("vllm " + self.path, sorted(asked))
            self._say(200, json.dumps(self._complete(asked)))

        def _complete(self, asked: dict[str, Any]) -> dict[str, Any]:
            chat = self.path.endswith("chat/completions")
            said = json.dumps(asked.get("messages") or asked.get("prompt") or "")
            read, written = len(said.split()), len(REPLY.split())
            with state.lock:
                state.requests += 1
                state.read += read
                state.written += written
            choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
            choice |= {"message": {"role": "assistant", "content": REPLY}} if chat else {"text": REPLY}
            return {
                "id": f"stand-in-{state.requests}", "object": "chat.completion" if chat else "text_completion",
                "created": int(time.time()), "model": state.model, "choices": [choice],
                "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
            }  # fmt: skip

    return Handler


def main() -> int:
    """`vllm serve MODEL`."""
    record("vllm", sys.argv[1:])
    if sys.argv[1:] == ["--version"]:
        print(f"{vllm.__version__} (stand-in)")
        return 0
    parser = argparse.ArgumentParser(prog="vllm")
    parser.add_argument("what", choices=["serve"])
    parser.add_argument("model")
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104 - as the real one has it
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--served-model-name")
    parser.add_argument("--api-key", default=os.environ.get("VLLM_API_KEY", ""))
    options, others = parser.parse_known_args()
    print(f"vLLM {vllm.__version__} (stand-in) serves {options.model}; not used: {others}", file=sys.stderr)
    state = State(options.served_model_name or options.model)
    ThreadingHTTPServer((options.host, options.port), handler(state, options.api_key)).serve_forever()
    return 0
