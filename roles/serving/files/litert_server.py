"""Serve one LiteRT (TFLite) model over HTTP in the KServe v2 protocol: health, metadata, infer, metrics.

Runs in an environment that has ai-edge-litert and numpy.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TYPES = {"float32": "FP32", "float64": "FP64", "int8": "INT8", "uint8": "UINT8", "int32": "INT32", "int64": "INT64"}
LARGEST = 64 << 20
"""Bytes of a request."""


class WrongInputError(Exception):
    """What of a request does not fit the model."""


class Model:
    """One interpreter; requests wait for each other, as it keeps its tensors to itself."""

    def __init__(self, path: Path, threads: int) -> None:
        import numpy
        from ai_edge_litert.interpreter import Interpreter

        self.numpy = numpy
        self.name, self.lock, self.count = path.stem, threading.Lock(), 0
        self.interpreter = Interpreter(model_path=str(path), num_threads=threads)
        self.interpreter.allocate_tensors()

    def _about(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {"name": row["name"], "datatype": TYPES.get(self.numpy.dtype(row["dtype"]).name, "BYTES"),
             "shape": [int(each) for each in row["shape"]]}
            for row in rows
        ]  # fmt: skip

    def about(self) -> dict[str, Any]:
        """Name, inputs and outputs."""
        inputs, outputs = self.interpreter.get_input_details(), self.interpreter.get_output_details()
        return {"name": self.name, "platform": "litert", "inputs": self._about(inputs), "outputs": self._about(outputs)}

    def infer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Raises WrongInputError."""
        given = {row.get("name"): row for row in asked.get("inputs", []) if isinstance(row, dict)}
        with self.lock:
            for row in self.interpreter.get_input_details():
                if row["name"] not in given:
                    raise WrongInputError(f"input {row['name']} is missing")
                values, shape = given[row["name"]].get("data"), [int(each) for each in row["shape"]]
                try:
                    tensor = self.numpy.asarray(values, dtype=row["dtype"]).reshape(shape)
                except (TypeError, ValueError, OverflowError) as why:
                    raise WrongInputError(f"input {row['name']} is not {math.prod(shape)} numbers of {shape}") from why
                self.interpreter.set_tensor(row["index"], tensor)
            self.interpreter.invoke()
            outputs = self.interpreter.get_output_details()
            said = [self.interpreter.get_tensor(row["index"]).reshape(-1).tolist() for row in outputs]
            self.count += 1
        rows = [about | {"data": data} for about, data in zip(self._about(outputs), said, strict=True)]
        return {"model_name": self.name, "outputs": rows}


def handler(model: Model) -> type[BaseHTTPRequestHandler]:
    """Of one model."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *words: Any) -> None:
            print(f"{self.address_string()} {format % words}", file=sys.stderr)

        def _say(self, status: int, body: object = None) -> None:
            text = body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if isinstance(body, str) else "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_GET(self) -> None:
            if self.path in ("/v2/health/live", "/v2/health/ready", f"/v2/models/{model.name}/ready"):
                self._say(200)
            elif self.path == f"/v2/models/{model.name}":
                self._say(200, model.about())
            elif self.path == "/metrics":
                rows = f'litert_inferences_total{{model="{model.name}"}} {model.count}\n'
                self._say(200, f"# TYPE litert_inferences_total counter\n{rows}")
            else:
                self._say(404, {"error": "not found"})

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > LARGEST:
                self.close_connection = True
                self._say(413, {"error": f"{length} bytes are more than {LARGEST}"})
                return
            text = self.rfile.read(length)
            if self.path != f"/v2/models/{model.name}/infer":
                self._say(404, {"error": f"{self.path} is not found; the model is {model.name}"})
                return
            try:
                self._say(200, model.infer(json.loads(text)))
            except (ValueError, AttributeError):
                self._say(400, {"error": "the request is no JSON object"})
            except WrongInputError as why:
                self._say(400, {"error": str(why)})

    return Handler


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8200)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    model = Model(options.model, options.threads)
    ThreadingHTTPServer((options.host, options.port), handler(model)).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
