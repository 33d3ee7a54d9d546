"""Has litewitness cosign the log: what it must sign, and what it must refuse.

Reads the requests and the receipt in the directory given, and leaves `witness.vkey`, `cosigned.tlog-proof` and
`witnessed.policy` there. Both processes that it starts it ends.
"""

import base64
import hashlib
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request

ORIGIN = "broker.example/audit"


def wait(what, attempt):
    """Asks until there is an answer, for at most 30 seconds."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        answer = attempt()
        if answer:
            return answer
        time.sleep(0.05)
    sys.exit(f"{what} did not come")


def port_of(pid):
    """The port on which a process listens, from what the kernel knows."""
    inodes = set()
    for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(descriptor))
        except FileNotFoundError:
            continue
        if found:
            inodes.add(found[1])
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and fields[9] in inodes:
            return int(fields[1].split(":")[1], 16)
    return None


def ask(port, body, want):
    """Asks for a cosignature, and answers with what came."""
    url = f"http://127.0.0.1:{port}/add-checkpoint"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=10) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    if status != want:
        sys.exit(f"the witness answered {status} where {want} was due: {text}")
    return text


def converse(work, port):
    request = {name: (work / f"{name}.request").read_bytes() for name in ("first", "next", "forked")}
    ask(port, request["first"].replace(ORIGIN.encode(), b"unknown.example", 1), 404)
    ask(port, request["first"].replace(b"\n23333\n", b"\n23332\n", 1), 403)
    ask(port, request["first"], 200)
    bent = request["next"].split(b"\n")
    bent[1] = base64.b64encode(hashlib.sha256(b"another").digest())
    ask(port, b"\n".join(bent), 422)
    # What has grown from other entries than those it saw, though signed by the same key.
    ask(port, request["forked"], 422)
    line = ask(port, request["next"], 200)
    # It remembers the later size now, and says so in the body that a broker reads.
    if ask(port, request["first"], 409) != "70000\n":
        sys.exit("the witness does not say which size it remembers")
    same = request["next"].split(b"\n\n", 1)[1]
    ask(port, b"old 70000\n\n" + same, 200)
    forked = request["forked"].split(b"\n\n", 1)[1]
    ask(port, b"old 70000\n\n" + forked, 422)
    return line


def main():
    work = pathlib.Path(sys.argv[1])
    key = work / "witness.key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    printed = subprocess.run(["ssh-keygen", "-l", "-f", key], check=True, capture_output=True, text=True)
    fingerprint = printed.stdout.split()[1]
    socket, database, log = work / "agent", work / "witness.db", work / "witness.log"
    processes = [subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)]
    try:
        wait("the agent", socket.exists)
        agent = dict(os.environ, SSH_AUTH_SOCK=str(socket))
        subprocess.run(["ssh-add", "-q", key], check=True, env=agent)
        command = [work / "bin/litewitness", "-name", "witness.example/third", "-key", fingerprint]
        command += ["-ssh-agent", socket, "-db", database, "-listen", "127.0.0.1:0"]
        with log.open("w") as out:
            processes.append(subprocess.Popen(command, stdout=out, stderr=out))
        vkey = wait("the witness's key", lambda: re.search(r"vkey=(\S+)", log.read_text()))[1]
        port = wait("the witness", lambda: port_of(processes[1].pid))
        with sqlite3.connect(database, timeout=10) as tables:
            empty = base64.b64encode(hashlib.sha256(b"").digest()).decode()
            tables.execute("INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)", (ORIGIN, empty))
            known = (work / "log.vkey").read_text().strip()
            tables.execute("INSERT INTO key (origin, key) VALUES (?, ?)", (ORIGIN, known))
        line = converse(work, port)
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(timeout=30)
    (work / "witness.vkey").write_text(vkey)
    (work / "cosigned.tlog-proof").write_text((work / "receipt.tlog-proof").read_text() + line)
    policy = f"log {known}\nwitness third {vkey}\nquorum third\n"
    (work / "witnessed.policy").write_text(policy)


main()
