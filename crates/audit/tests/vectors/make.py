#!/usr/bin/env python3
"""Writes leaf.txt and tree.json into this directory.

A second implementation of the leaf, the commitments and the tree, which shares nothing with the
first but the published formats. The trees follow the recursive definitions of RFC 6962 section 2.1,
not the bitwise algorithms of RFC 9162.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import struct

HERE = pathlib.Path(__file__).parent


# --- leaves ------------------------------------------------------------------------------------

def head(major, n):
    for info, size, form in ((24, 1, ">B"), (25, 2, ">H"), (26, 4, ">I"), (27, 8, ">Q")):
        if n < 24:
            return bytes([major << 5 | n])
        if n < 1 << 8 * size:
            return bytes([major << 5 | info]) + struct.pack(form, n)
    raise ValueError(n)


def cbor(value):
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in sorted(value.items()))


def mac(key, domain, content):
    return hmac.new(key, domain + b"\0" + content, hashlib.sha256).digest()


def leaf_hash(leaf):
    return hashlib.sha256(b"\0" + leaf).digest()


FIELDS = ["version", "entry-type", "at-ms", "party", "transport", "purpose", "id", "commitment",
          "released", "subject-tag", "class", "destroy", "rules"]
BLIND, DETAILS = b"\x22" * 32, b"the details of an entry"
SALT, CONTENT = b"\x33" * 32, b"what the receiver was handed"
COMMITMENT = mac(BLIND, b"schakel/details/v1", DETAILS)
RELEASED = mac(SALT, b"schakel/released/v1", CONTENT)
ID, TAG, RULES = bytes(range(16)), bytes(range(0xf0, 0x100)), hashlib.sha256(b"rules").digest()

SMALLEST = {0: 1, 1: 16, 2: 0, 3: "pi0", 6: ID, 7: COMMITMENT, 10: 1}
LARGEST = {0: 1, 1: 17, 2: 2**64 - 1, 3: "a" * 40, 4: "-" * 40, 5: ["Z" * 40, 2**32 - 1],
           6: b"\xff" * 16, 7: b"\xff" * 32, 8: b"\xff" * 32, 9: b"\xff" * 16, 10: 3, 11: 999912,
           12: b"\xff" * 32}
DISCLOSURE = {0: 1, 1: 1, 2: 1795442400000, 3: "woonstichting-de-brug", 4: "ketenleverancier-noord",
              5: ["P-ARRANGE-HOUSING", 3], 6: ID, 7: COMMITMENT, 8: RELEASED, 9: TAG, 10: 2,
              11: 203112, 12: RULES}


def show(key, value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value)


def leaves():
    yield "smallest", SMALLEST
    yield "largest", LARGEST
    yield "disclosure", DISCLOSURE
    yield "denial", {**DISCLOSURE, 1: 2, 8: None, 9: TAG[::-1], 4: None}
    yield "care", {**DISCLOSURE, 10: 3, 11: 204701}
    yield "consent", {**DISCLOSURE, 1: 3, 5: None, 8: None, 10: 4, 11: None, 12: None}
    for number in range(4, 18):
        yield f"entry-type-{number}", {**SMALLEST, 1: number}
    for at in (23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**53 + 1):
        yield f"at-{at}", {**SMALLEST, 2: at}
    for version in (0, 23, 24, 65536):
        yield f"purpose-version-{version}", {**SMALLEST, 5: ["P01", version]}
    for month in (197001, 202612):
        yield f"month-{month}", {**SMALLEST, 10: 2, 11: month}


def without(leaf, key):
    return {k: v for k, v in leaf.items() if k != key}


def refused():
    small = cbor(SMALLEST)

    def swapped(old, new, source=small):
        assert source.count(old) == 1, old
        return source.replace(old, new)

    def pairs(count, *parts):
        return head(5, count) + b"".join(parts)

    body = [cbor(k) + cbor(v) for k, v in SMALLEST.items()]
    yield "empty", "truncated", b""
    yield "cut-before-the-last-byte", "truncated", small[:-1]
    yield "cut-after-the-head", "truncated", small[:1]
    yield "one-pair-announced-too-many", "truncated", pairs(8, *body)
    yield "one-pair-announced-too-few", "missing", pairs(6, *body)
    yield "more-pairs-than-bytes", "truncated", head(5, 2**64 - 1) + small[1:]
    yield "party-longer-than-the-leaf", "truncated", swapped(b"\x03\x63pi0", b"\x03\x7b" + b"\xff" * 8)
    yield "byte-after-the-end", "trailing", small + b"\0"
    yield "two-leaves", "trailing", small + small
    yield "longer-than-any", "too-long", cbor(LARGEST) + b"\0"
    yield "not-a-map", "kind", cbor([1, 2, 3])
    yield "text-as-key", "kind", pairs(7, cbor("0") + cbor(1), *body[1:])
    yield "party-as-bytes", "kind", cbor({**SMALLEST, 3: b"pi0"})
    yield "id-as-text", "kind", cbor({**SMALLEST, 6: "0123456789abcdef"})
    yield "time-negative", "kind", swapped(b"\x02\x00\x03", b"\x02\x20\x03")
    yield "time-tagged", "kind", swapped(b"\x02\x00\x03", b"\x02\xc1\x00\x03")
    yield "time-a-float", "kind", swapped(b"\x02\x00\x03", b"\x02\xf9\x00\x00\x03")
    yield "released-null", "kind", pairs(8, *body[:6], b"\x08\xf6", body[6])
    yield "party-not-utf8", "kind", swapped(b"pi0", b"\xff\xfe\xfd")
    yield "purpose-a-map", "kind", cbor({**SMALLEST, 5: {0: "P01"}})
    for size, form in ((1, b"\x18\0"), (2, b"\x19\0\0"), (4, b"\x1a" + b"\0" * 4), (8, b"\x1b" + b"\0" * 8)):
        yield f"time-in-{size}-bytes-too-many", "not-canonical", swapped(b"\x02\x00\x03", b"\x02" + form + b"\x03")
    yield "time-in-two-bytes-for-one", "not-canonical", swapped(b"\x02\x00\x03", b"\x02\x19\x00\xff\x03")
    yield "time-in-four-bytes-for-two", "not-canonical", swapped(b"\x02\x00\x03", b"\x02\x1a\x00\x00\xff\xff\x03")
    yield "time-in-eight-bytes-for-four", "not-canonical", swapped(b"\x02\x00\x03", b"\x02\x1b" + b"\0" * 4 + b"\xff" * 4 + b"\x03")
    yield "key-in-two-bytes", "not-canonical", swapped(b"\x02\x00\x03", b"\x18\x02\x00\x03")
    yield "map-head-in-two-bytes", "not-canonical", b"\xb8\x07" + small[1:]
    yield "party-length-in-two-bytes", "not-canonical", swapped(b"\x63pi0", b"\x78\x03pi0")
    yield "map-of-indefinite-length", "not-canonical", b"\xbf" + small[1:] + b"\xff"
    yield "party-of-indefinite-length", "not-canonical", swapped(b"\x63pi0", b"\x7f\x63pi0\xff")
    yield "reserved-head", "not-canonical", swapped(b"\x02\x00\x03", b"\x02\x1c\x03")
    yield "keys-swapped", "missing", pairs(7, body[0], body[2], body[1], *body[3:])
    yield "last-keys-swapped", "key-order", pairs(8, *body, cbor(9) + cbor(TAG))
    yield "key-twice", "key-order", pairs(8, body[0], body[1], body[1], *body[2:])
    yield "key-13", "unknown-key", cbor({**SMALLEST, 13: 0})
    yield "key-far-away", "unknown-key", cbor({**SMALLEST, 2**64 - 1: 0})
    for key, value in SMALLEST.items():
        yield f"without-{FIELDS[key]}", "missing", cbor(without(SMALLEST, key))
    yield "no-fields", "missing", cbor({})
    yield "version-0", "version", cbor({**SMALLEST, 0: 0})
    yield "version-2", "version", cbor({**SMALLEST, 0: 2})
    for number in (0, 18, 257, 2**64 - 1):
        yield f"entry-type-{number}", "entry-type", cbor({**SMALLEST, 1: number})
    for number in (0, 5, 257, 2**64 - 1):
        yield f"class-{number}", "class", cbor({**SMALLEST, 10: number})
    yield "purpose-version-too-great", "purpose-version", cbor({**SMALLEST, 5: ["P01", 2**32]})
    for month in (0, 196912, 202600, 202613, 1000001, 2**64 - 1):
        yield f"month-{month}", "month", cbor({**SMALLEST, 10: 2, 11: month})
    for key in (6, 9):
        for size in (0, 15, 17):
            yield f"{FIELDS[key]}-of-{size}-bytes", "length", cbor({**SMALLEST, key: b"\0" * size})
    for key in (7, 8, 12):
        for size in (0, 31, 33):
            yield f"{FIELDS[key]}-of-{size}-bytes", "length", cbor({**SMALLEST, key: b"\0" * size})
    yield "purpose-without-version", "length", cbor({**SMALLEST, 5: ["P01"]})
    yield "purpose-with-more", "length", cbor({**SMALLEST, 5: ["P01", 1, 1]})
    for name, text in (("short", "ab"), ("long", "a" * 41), ("capital", "Pi0"), ("space", "p i"),
                       ("underscore", "p_i"), ("newline", "pi0\n"), ("accent", "pié"), ("empty", "")):
        yield f"party-{name}", "name", cbor({**SMALLEST, 3: text})
        yield f"transport-{name}", "name", cbor({**SMALLEST, 4: text})
    for name, text in (("short", "P0"), ("long", "P" * 41), ("lower-case", "p01"), ("space", "P 1")):
        yield f"purpose-{name}", "name", cbor({**SMALLEST, 5: [text, 1]})
    yield "own-transport", "own-transport", cbor({**SMALLEST, 4: "pi0"})
    for number in (2, 3):
        yield f"class-{number}-without-month", "destroy-missing", cbor({**SMALLEST, 10: number})
    for number in (1, 4):
        yield f"class-{number}-with-month", "destroy-unwanted", cbor({**SMALLEST, 10: number, 11: 202612})


def write_leaves():
    out = ["# Leaves and their encodings; see leaf.cddl. Written by make.py.", "#",
           "# A block is a leaf, two commitments, or bytes that are refused and why. Bytes are in hexadecimal.",
           "", "commitments", f"blind {BLIND.hex()}", f"details {DETAILS.hex()}",
           f"commitment {COMMITMENT.hex()}", f"salt {SALT.hex()}", f"content {CONTENT.hex()}",
           f"released {RELEASED.hex()}"]
    for name, leaf in leaves():
        leaf = {k: v for k, v in leaf.items() if v is not None}
        encoded = cbor(leaf)
        out += ["", f"leaf {name}"]
        out += [f"{FIELDS[k]} {show(k, v)}" for k, v in sorted(leaf.items()) if k]
        out += [f"bytes {encoded.hex()}", f"hash {leaf_hash(encoded).hex()}"]
    for name, why, encoded in refused():
        out += ["", f"refused {name}", f"why {why}", f"bytes {encoded.hex()}"]
    (HERE / "leaf.txt").write_text("\n".join(out) + "\n")


# --- trees -------------------------------------------------------------------------------------

def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def split(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(d):
    if not d:
        return sha()
    if len(d) == 1:
        return sha(b"\0", d[0])
    k = split(len(d))
    return sha(b"\1", mth(d[:k]), mth(d[k:]))


def path(m, d):
    if len(d) == 1:
        return []
    k = split(len(d))
    return path(m, d[:k]) + [mth(d[k:])] if m < k else path(m - k, d[k:]) + [mth(d[:k])]


def subproof(m, d, whole):
    if m == len(d):
        return [] if whole else [mth(d)]
    k = split(len(d))
    if m <= k:
        return subproof(m, d[:k], whole) + [mth(d[k:])]
    return subproof(m - k, d[k:], False) + [mth(d[:k])]


class Bad(Exception):
    pass


def root_of_path(m, n, leaf, proof):
    """The root that an inclusion proof leads to, by undoing path()."""
    if n == 1:
        if proof:
            raise Bad
        return leaf
    if not proof:
        raise Bad
    k = split(n)
    if m < k:
        return sha(b"\1", root_of_path(m, k, leaf, proof[:-1]), proof[-1])
    return sha(b"\1", proof[-1], root_of_path(m - k, n - k, leaf, proof[:-1]))


def roots_of_subproof(m, n, whole, proof, old):
    """The old and the new root that a consistency proof leads to, by undoing subproof()."""
    if m == n:
        if len(proof) != (0 if whole else 1):
            raise Bad
        return (old, old) if whole else (proof[0], proof[0])
    if not proof:
        raise Bad
    k = split(n)
    if m <= k:
        a, b = roots_of_subproof(m, k, whole, proof[:-1], old)
        return a, sha(b"\1", b, proof[-1])
    a, b = roots_of_subproof(m - k, n - k, False, proof[:-1], old)
    return sha(b"\1", proof[-1], a), sha(b"\1", proof[-1], b)


def holds_inclusion(m, n, root, leaf, proof):
    try:
        return m < n and root_of_path(m, n, leaf, proof) == root
    except Bad:
        return False


def holds_consistency(m, n, old, new, proof):
    try:
        if m > n or (m == 0 and n != 0):
            return False
        return roots_of_subproof(m, n, True, proof, old) == (old, new)
    except Bad:
        return False


LEAVES = [bytes.fromhex(h) for h in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f")]
OTHER = sha(b"of no tree")


def flip(h, bit):
    return h[:bit // 8] + bytes([h[bit // 8] ^ 1 << bit % 8]) + h[bit // 8 + 1:]


def bent(proof, hashes):
    """The proof bent in every way that anyone is known to have got wrong."""
    yield "proof cut at its end", proof[:-1]
    yield "proof cut at its beginning", proof[1:]
    yield "empty proof", []
    yield "proof twice", proof + proof
    yield "proof reversed", proof[::-1]
    for name, h in [("a hash of no tree", OTHER), *hashes]:
        yield f"{name} before the proof", [h] + proof
        yield f"{name} after the proof", proof + [h]
    for i in range(len(proof)):
        for bit in (0, 77, 255):
            yield f"bit {bit} of hash {i} flipped", proof[:i] + [flip(proof[i], bit)] + proof[i + 1:]
        yield f"hash {i} left out", proof[:i] + proof[i + 1:]


def numbers(n):
    return {n + 1, n * 2, n // 2, n ^ 2, n + 2**32, 2**63 + n, 2**64 - 1} | ({n - 1} if n else set())


def inclusions():
    for n, m in ((1, 0), (2, 1), (3, 2), (5, 1), (5, 4), (7, 6), (8, 0), (8, 5)):
        root, leaf, proof = mth(LEAVES[:n]), sha(b"\0", LEAVES[m]), path(m, LEAVES[:n])
        yield f"leaf {m} of {n}", m, n, root, leaf, proof
        for index in sorted(numbers(m) - {m}):
            yield f"leaf {m} of {n}: index {index}", index, n, root, leaf, proof
        for size in sorted(numbers(n) | {0}):
            yield f"leaf {m} of {n}: size {size}", m, size, root, leaf, proof
        for what, other in (("of no tree", OTHER), ("empty", sha()), ("the leaf", leaf), ("flipped", flip(root, 3))):
            yield f"leaf {m} of {n}: root {what}", m, n, other, leaf, proof
        for what, other in (("of no tree", OTHER), ("the root", root), ("without prefix", sha(LEAVES[m])), ("flipped", flip(leaf, 3))):
            yield f"leaf {m} of {n}: leaf {what}", m, n, root, other, proof
        for what, other in bent(proof, [("the root", root), ("the leaf", leaf)]):
            yield f"leaf {m} of {n}: {what}", m, n, root, leaf, other
    for n in (0, 1):
        yield f"no leaf, size {n}, no hashes", 0, n, sha(), sha(), []


def consistencies():
    for m, n in ((1, 2), (1, 8), (2, 5), (3, 7), (4, 7), (6, 8), (7, 8), (4, 8), (5, 5)):
        old, new, proof = mth(LEAVES[:m]), mth(LEAVES[:n]), subproof(m, LEAVES[:n], True)
        yield f"{m} to {n}", m, n, old, new, proof
        for size in sorted(numbers(m) | {0}):
            yield f"{m} to {n}: old size {size}", size, n, old, new, proof
        for size in sorted(numbers(n) | {0}):
            yield f"{m} to {n}: new size {size}", m, size, old, new, proof
        yield f"{m} to {n}: sizes swapped", n, m, old, new, proof
        yield f"{m} to {n}: roots swapped", m, n, new, old, proof
        for what, other in (("of no tree", OTHER), ("empty", sha()), ("flipped", flip(old, 9))):
            yield f"{m} to {n}: old root {what}", m, n, other, new, proof
        for what, other in (("of no tree", OTHER), ("empty", sha()), ("flipped", flip(new, 9))):
            yield f"{m} to {n}: new root {what}", m, n, old, other, proof
        for what, other in bent(proof, [("the old root", old), ("the new root", new)]):
            yield f"{m} to {n}: {what}", m, n, old, new, other
    yield "empty to empty", 0, 0, sha(), sha(), []
    yield "empty to empty, with a proof", 0, 0, sha(), sha(), [OTHER]
    yield "empty to empty, other root", 0, 0, sha(), OTHER, []
    yield "empty to one", 0, 1, sha(), mth(LEAVES[:1]), []
    yield "empty to one, with a proof", 0, 1, sha(), mth(LEAVES[:1]), [mth(LEAVES[:1])]


def b64(value):
    return base64.b64encode(value).decode()


def write_trees():
    rows = {"inclusion": [], "consistency": []}
    for desc, m, n, root, leaf, proof in inclusions():
        rows["inclusion"].append({
            "desc": desc, "leafIdx": m, "treeSize": n, "root": b64(root), "leafHash": b64(leaf),
            "proof": [b64(h) for h in proof], "wantErr": not holds_inclusion(m, n, root, leaf, proof)})
    for desc, m, n, old, new, proof in consistencies():
        rows["consistency"].append({
            "desc": desc, "size1": m, "size2": n, "root1": b64(old), "root2": b64(new),
            "proof": [b64(h) for h in proof], "wantErr": not holds_consistency(m, n, old, new, proof)})
    lines = [f'"{kind}": [\n' + ",\n".join(json.dumps(row) for row in found) + "\n]"
             for kind, found in rows.items()]
    (HERE / "tree.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


write_leaves()
write_trees()
