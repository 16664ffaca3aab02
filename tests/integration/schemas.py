"""Whether a record of the audit log is what the published schema of its format says. tests/schemas has these as data."""

import csv
import ipaddress
import json
import pathlib
import re

try:
    import jsonschema
except ImportError:
    jsonschema = None  # Debian: python3-jsonschema

_SCHEMAS = pathlib.Path(__file__).resolve().parent.parent / "schemas"
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def _is_ip(value):
    try:
        return isinstance(value, str) and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


_IS = {
    "date": lambda value: isinstance(value, str) and bool(_DATE.fullmatch(value)),
    "ip": _is_ip,
    "long": lambda value: type(value) is int and -2**63 <= value < 2**63,
    "float": lambda value: type(value) in (int, float),
    **{text: lambda value: isinstance(value, str) for text in ("keyword", "match_only_text", "wildcard")},
}


def _leaves(value, path=""):
    if not isinstance(value, dict):
        yield path, value
        return
    for name, inner in value.items():
        yield from _leaves(inner, f"{path}.{name}" if path else name)


class Ecs:
    """Elastic Common Schema; what stands under "fwd" is nobody else's business."""

    def __init__(self):
        with open(_SCHEMAS / "ecs_fields.csv", encoding="utf-8", newline="") as file:
            self._fields = {row["Field"]: row for row in csv.DictReader(file)}

    def faults(self, record):
        faults = []
        for name, value in _leaves({key: part for key, part in record.items() if key != "fwd"}):
            field = self._fields.get(name)
            if not field:
                faults.append(f"{name} is no field of ECS")
                continue
            is_list = field["Normalization"] == "array"
            values = value if is_list and isinstance(value, list) else [value]
            if is_list != isinstance(value, list) or not all(map(_IS[field["Type"]], values)):
                faults.append(f"{name} must be {field['Type']} {field['Normalization']}: {value!r}")
        return faults


class Eve:
    """Suricata's EVE."""

    def __init__(self):
        schema = json.loads((_SCHEMAS / "eve.json").read_text(encoding="utf-8"))
        self._validator = jsonschema.Draft7Validator(schema)

    def faults(self, record):
        return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
                for error in self._validator.iter_errors(record)]
