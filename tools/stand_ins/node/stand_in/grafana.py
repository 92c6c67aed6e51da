"""grafana-server: health, data sources and dashboards, as its API tells of them, read from what was provisioned."""

from __future__ import annotations

import base64
import configparser
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from stand_in.exporter import serve
from stand_in.node import NOTE, Node

AT = "/etc/grafana/provisioning"


def _value(text: str) -> str:
    """`$__file{PATH}` is what the file holds."""
    found = re.fullmatch(r"\$__file\{(.+)\}", text)
    return Path(found[1]).read_text().strip() if found else text


def _read(path: Path) -> Any:
    """A file of YAML; one that is JSON needs no package."""
    try:
        return json.loads(path.read_text())
    except ValueError:
        import yaml  # Debian's package, as this one depends on it

        return yaml.safe_load(path.read_text())


def _provisioned(folder: Path, kind: str, key: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path in sorted((folder / kind).glob("*.yml")) + sorted((folder / kind).glob("*.yaml")):
        rows += (_read(path) or {}).get(key) or []
    return rows


def dashboards(folder: Path) -> list[dict[str, Any]]:
    """Every dashboard that a provider's folder has. Raises ValueError for one that is no JSON or has no uid."""
    found = []
    for provider in _provisioned(folder, "dashboards", "providers"):
        for path in sorted(Path(provider["options"]["path"]).rglob("*.json")):
            about = json.loads(path.read_text())
            if not about.get("uid") or not about.get("title"):
                raise ValueError(f"{path}: no uid or title")
            found.append({"uid": about["uid"], "title": about["title"], "type": "dash-db", "dashboard": about})
    return found


def run(node: Node, arguments: list[str]) -> int:
    """The daemon."""
    version = node.version("grafana")
    if "-v" in arguments or "--version" in arguments:
        print(f"Version {version} ({NOTE})")
        return 0
    options = dict(word.lstrip("-").split("=", 1) for word in arguments if "=" in word)
    conf = configparser.ConfigParser(interpolation=None)
    conf.read(options.get("config", "/etc/grafana/grafana.ini"))
    folder = Path(conf.get("paths", "provisioning", fallback=AT))
    try:
        password = _value(conf.get("security", "admin_password", fallback="admin"))
        sources = _provisioned(folder, "datasources", "datasources")
        known = dashboards(folder)
    except (OSError, ValueError) as error:
        print(f'logger=provisioning level=error msg="{error}" ({NOTE})', file=sys.stderr)
        return 1
    user = conf.get("security", "admin_user", fallback="admin")
    right = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/api/health":
                self.answer(200, {"database": "ok", "version": f"{version} ({NOTE})", "commit": NOTE})
            elif self.headers.get("Authorization") != right:
                self.answer(401, {"message": "Unauthorized", "statusCode": 401})
            elif path == "/api/datasources":
                self.answer(
                    200, [{key: row.get(key) for key in ("name", "uid", "type", "url", "isDefault")} for row in sources]
                )
            elif path == "/api/search":
                self.answer(200, [{key: row[key] for key in ("uid", "title", "type")} for row in known])
            elif path.startswith("/api/dashboards/uid/"):
                row = next((row for row in known if row["uid"] == path.rpartition("/")[2]), None)
                self.answer(200, {"dashboard": row["dashboard"]}) if row else self.answer(404, {"message": "Not found"})
            else:
                self.answer(404, {"message": "Not found"})

        def answer(self, status: int, body: object) -> None:
            """As JSON."""
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Not every question."""

    where = (conf.get("server", "http_addr", fallback=""), conf.getint("server", "http_port", fallback=3000))
    return serve(ThreadingHTTPServer(where, Handler), "grafana")
