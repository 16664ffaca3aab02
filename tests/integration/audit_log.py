"""The audit log as its readers see it, checked without a line of fwd's own code: fwd-audit(5) is all it knows."""

import hashlib
import json
import re

_SEAL = re.compile(rb'^(\{.*"prev":"([0-9a-f]{64})"),"hash":"([0-9a-f]{64})"(\}\}|\}\]\}\})\n$', re.S)


def own(record):
    """The object that has what is fwd's alone."""
    return record["fwd"] if "fwd" in record else record["metadata"]["flowvars"][0]


def happening(record):
    """The object that has dataset, sequence, action and reason."""
    return record["event"] if "event" in record else own(record)


def chained(lines, before=(0, "0" * 64)):
    """What is wrong with the chain of these lines (bytes, with their ends); nothing when it is intact."""
    wrong = []
    sequence, last = before
    for number, line in enumerate(lines, 1):
        match = _SEAL.match(line)
        if not match:
            wrong.append(f"line {number} has no seal: {line!r}")
            continue
        covered, prev, digest = match[1], match[2].decode(), match[3].decode()
        if hashlib.sha256(covered).hexdigest() != digest:
            wrong.append(f"line {number} isn't what its hash says")
        if prev != last:
            wrong.append(f"line {number} doesn't follow the one before")
        this = happening(json.loads(line))["sequence"]
        if this != sequence + 1:
            wrong.append(f"line {number} has the sequence {this} after {sequence}")
        sequence, last = this, digest
    return wrong


def tally(lines):
    """The decisions that the lines tell of."""
    counts = {"written": 0, "folded": 0, "lost": 0}
    for record in map(json.loads, lines):
        dataset = happening(record)["dataset"]
        if dataset == "fwd.audit_gap":
            counts["lost"] += own(record).get("count", 0)  # of ends of connections there is none
        elif dataset == "fwd.verdict" and "packets" in own(record):
            counts["folded"] += own(record)["packets"]
        elif dataset == "fwd.verdict":
            counts["written"] += 1
    return counts
