"""A network of hosts on this machine, each a network namespace, and what can go wrong between them.

It lives in the namespaces of the process that `sandboxed` started, so it vanishes with that
process, however that one ends.
"""

import os
import shutil
import subprocess
import sys
import time

SUBNET = "10.77.0"
HUB = f"{SUBNET}.254"
ADDRESSES = {"broker": f"{SUBNET}.1", "w1": f"{SUBNET}.11", "w2": f"{SUBNET}.12",
             "w3": f"{SUBNET}.13", "w4": f"{SUBNET}.14", "c1": f"{SUBNET}.21",
             "c2": f"{SUBNET}.22", "proxy": f"{SUBNET}.30"}
WORKER_HOSTS = ("w1", "w2", "w3", "w4")
CLIENT_HOSTS = ("c1", "c2")
# What stands behind the proxy: its faults are theirs.
BEHIND_PROXY = ("w4", "c2")
INSIDE = "MILLRACE_CHAOS_INSIDE"
SKIPPED = 77


def sandboxed():
    """Returns in a process that is the first of its own process, mount and network namespaces.

    The kernel ends everything in there when this process ends, so nothing is left behind. Where
    that is not allowed the program ends with the code of a skipped test, or fails where CI is set.
    """
    if os.environ.get(INSIDE):
        os.makedirs("/run/netns", exist_ok=True)
        for folder in ("/run/netns", "/dev/shm"):
            run("mount", "-t", "tmpfs", "tmpfs", folder)
        return
    prefix = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    needed = ("unshare", "nsenter", "ip", "nft", "flatc")
    missing = [tool for tool in needed if not shutil.which(tool)]
    if missing or subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode:
        print(f"not run: it needs root and {' '.join(missing) or 'network namespaces'}")
        sys.exit(1 if os.environ.get("CI") else SKIPPED)
    os.environ[INSIDE] = "1"
    os.execvp("unshare", [*prefix, sys.executable, "-B", *sys.argv])


def run(*command, stdin=None):
    subprocess.run(command, input=stdin, text=True, check=True, stdout=subprocess.DEVNULL)


def inside(host):
    """The command prefix that runs a program on a host; the process keeps its id."""
    return ["nsenter", f"--net=/run/netns/{host}"]


class Network:
    """The hosts of ADDRESSES around a switch, on which this process sits at HUB."""

    def __init__(self):
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "hub", "type", "bridge")
        run("ip", "address", "add", f"{HUB}/24", "dev", "hub")
        run("ip", "link", "set", "hub", "up")
        for host, address in ADDRESSES.items():
            run("ip", "netns", "add", host)
            run("ip", "link", "add", f"to-{host}", "type", "veth", "peer", "name", "eth0",
                "netns", host)
            run("ip", "link", "set", f"to-{host}", "master", "hub", "up")
            run("ip", "-n", host, "address", "add", f"{address}/24", "dev", "eth0")
            run("ip", "-n", host, "link", "set", "eth0", "up")
            run("ip", "-n", host, "link", "set", "lo", "up")

    def disturb(self, host, receive_percent, send_percent):
        """Drops that share of the packets that `host` receives and sends, at random."""
        rules = "flush ruleset\ntable inet chaos {\n"
        for hook, interface, percent in (("input", "iifname", receive_percent),
                                         ("output", "oifname", send_percent)):
            rules += f"chain {hook} {{ type filter hook {hook} priority 0;\n"
            if percent:
                share = "" if percent == 100 else f"numgen random mod 100 < {percent}"
                rules += f'{interface} != "lo" {share} drop\n'
            rules += "}\n"
        run(*inside(host), "nft", "-f", "-", stdin=rules + "}\n")

    def heal(self, host):
        run(*inside(host), "nft", "flush", "ruleset")


def wait_until_reachable(seconds=5):
    """The switch takes a moment to forward."""
    deadline = time.monotonic() + seconds
    probe = ["python3", "-c", f"import socket; socket.create_connection(('{HUB}', 1), 0.2)"]
    while time.monotonic() < deadline:
        refused = subprocess.run([*inside("broker"), *probe], check=False, capture_output=True,
                                 text=True)
        if "refused" in refused.stderr:
            return
    raise AssertionError("the hosts do not reach each other")
