"""The colours of the picture: one light and one dark value for each class."""

from __future__ import annotations

from fleetyard.report.svg import stylesheet

COMMON = ".bold{font-weight:600}.dash{stroke-dasharray:5 4}"

LIGHT = {
    ".page": "fill:#fcfcfb;stroke:#e4e7eb",
    ".ink": "fill:#1d2530",
    ".muted": "fill:#5c6673",
    ".wire": "stroke:#8d97a5;stroke-width:1.5;fill:none",
    ".network": "fill:#f3f5f8;stroke:#9aa5b4;stroke-width:1.5",
    ".zone": "fill:#fcfcfb;stroke:#b4bdc9",
    ".public": "fill:#f0f6ea;stroke:#a9c78d",
    ".private": "fill:#edf2fa;stroke:#a8bbdc",
    ".card": "fill:#ffffff;stroke:#c9d0d9",
    ".door": "fill:#ffffff;stroke:#7d8896;stroke-width:1.5",
    ".outside": "fill:#ffffff;stroke:#b4bdc9",
    ".store": "fill:#e9f5f2;stroke:#5fa595",
    ".group": "fill:none;stroke:#8d97a5",
    ".machine": "fill:#f6f7f9;stroke:#aab3bf",
    ".gpu": "fill:#6aa84f",
    ".tpu": "fill:#4a86e8",
    ".neuron": "fill:#e69138",
    ".fabric": "fill:#8e5bc0",
    ".ip": "fill:#ffffff;stroke:#8d97a5;stroke-width:1.2",
    ".link": "stroke:#9fc0f5;stroke-width:2",
    ".badge": "fill:#fdf0d5;stroke:#d9a441",
    ".badge-text": "fill:#8a5a00",
}

DARK = {
    ".page": "fill:#15191f;stroke:#2a313a",
    ".ink": "fill:#e6eaf0",
    ".muted": "fill:#9aa5b3",
    ".wire": "stroke:#6b7684;stroke-width:1.5;fill:none",
    ".network": "fill:#1b2028;stroke:#566170;stroke-width:1.5",
    ".zone": "fill:#171b22;stroke:#434d5a",
    ".public": "fill:#1c2618;stroke:#4f6a3a",
    ".private": "fill:#1a2230;stroke:#44597e",
    ".card": "fill:#20262f;stroke:#3c4653",
    ".door": "fill:#20262f;stroke:#7d8896;stroke-width:1.5",
    ".outside": "fill:#20262f;stroke:#434d5a",
    ".store": "fill:#16302b;stroke:#3f8576",
    ".group": "fill:none;stroke:#6b7684",
    ".machine": "fill:#262d37;stroke:#4d5866",
    ".gpu": "fill:#7fbf63",
    ".tpu": "fill:#6d9eeb",
    ".neuron": "fill:#f0a85c",
    ".fabric": "fill:#b48be0",
    ".ip": "fill:#20262f;stroke:#8d97a5;stroke-width:1.2",
    ".link": "stroke:#3d5f96;stroke-width:2",
    ".badge": "fill:#3a2e12;stroke:#a87f2c",
    ".badge-text": "fill:#f0cf86",
}

CSS = stylesheet(LIGHT, DARK, COMMON)
