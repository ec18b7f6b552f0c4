"""A Docker engine for a test: the running one, or one of our own that leaves nothing behind.

Our own keeps everything in one folder below /var/tmp and makes the base image from Debian's packages,
so that a machine without an image registry can run the test too. It needs root.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time

BASE_IMAGE = "debian:bookworm-slim"
SUITE = "bookworm"
START_SECONDS_MAX = 60
# What ./dev has compiled need not be compiled again inside an image: a compile there with the same
# compiler, flags and sources finds its result here.
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMPILE_CACHE = os.path.join(ROOT, "build", "compile-cache")
COMPILE_CACHE_INSIDE = "/var/cache/millrace-compile"
CCACHE_SETTINGS = f"""remote_storage = file:{COMPILE_CACHE_INSIDE}|read-only=true
base_dir = /src
hash_dir = false
compiler_check = content
sloppiness = locale
"""
FORWARDING = "/proc/sys/net/ipv4/ip_forward"
# What iptables-save would have said of a machine whose tables nobody has touched.
NO_FIREWALL = """*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
COMMIT
"""


class EngineMissing(Exception):
    """No engine runs and none can be started; the text says why."""


def run(command, **options):
    return subprocess.run(command, check=True, text=True, **options)


def output_of(command):
    done = subprocess.run(command, check=False, text=True, capture_output=True)
    return done.stdout if done.returncode == 0 else ""


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def answers():
    return subprocess.run(["docker", "info"], check=False, capture_output=True).returncode == 0


class Engine:
    """Use it in a `with`: inside, `environment` reaches an engine that can build our Dockerfile."""

    def __init__(self):
        self.environment = dict(os.environ)
        self._folder = None
        self._daemon = None
        self._firewall = ""
        self._forwarding = ""
        self._bridge_was_there = False

    def __enter__(self):
        if not shutil.which("docker"):
            raise EngineMissing("docker is not installed; ./dev setup installs it")
        if subprocess.run(["docker", "buildx", "version"], check=False,
                          capture_output=True).returncode != 0:
            self.environment.update(DOCKER_BUILDKIT="0", COMPOSE_DOCKER_CLI_BUILD="0")
        if not answers():
            try:
                self._start()
                self._make_base_image()
            except BaseException:
                self._stop()
                raise
        return self

    def __exit__(self, *_):
        self._stop()

    def _start(self):
        for program in ("dockerd", "debootstrap", "iptables-save"):
            if not shutil.which(program):
                raise EngineMissing(f"no Docker engine runs and {program} is not installed")
        if os.geteuid() != 0:
            raise EngineMissing("no Docker engine runs; starting one needs root")
        self._folder = tempfile.mkdtemp(prefix="millrace-docker-", dir="/var/tmp")
        self._firewall = output_of(["iptables-save"])
        self._forwarding = read(FORWARDING)
        self._bridge_was_there = os.path.exists("/sys/class/net/docker0")
        socket = f"unix://{self._folder}/socket"
        self.environment["DOCKER_HOST"] = socket
        with open(f"{self._folder}/log", "w", encoding="utf-8") as log:
            self._daemon = subprocess.Popen(
                ["dockerd", "--host", socket, "--data-root", f"{self._folder}/data",
                 "--exec-root", f"{self._folder}/exec", "--pidfile", f"{self._folder}/pid"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._answers():
            if self._daemon.poll() is not None or time.monotonic() > deadline:
                tail = read(f"{self._folder}/log")[-4000:]
                raise EngineMissing(f"the Docker engine did not start:\n{tail}")
            time.sleep(0.1)

    def _answers(self):
        return subprocess.run(["docker", "info"], check=False, capture_output=True,
                              env=self.environment).returncode == 0

    def _make_base_image(self):
        root = f"{self._folder}/base"
        with open(f"{self._folder}/debootstrap.log", "w", encoding="utf-8") as log:
            run(["debootstrap", "--variant=minbase", SUITE, root, *debian_mirror()],
                stdout=log, stderr=log)
        write(f"{root}/etc/apt/apt.conf.d/90host", apt_settings_of_the_host())
        if os.path.isdir(COMPILE_CACHE):
            shutil.copytree(COMPILE_CACHE, root + COMPILE_CACHE_INSIDE)
            write(f"{root}/etc/ccache.conf", CCACHE_SETTINGS)
        for useless in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man",
                        "usr/share/locale"):
            shutil.rmtree(f"{root}/{useless}", ignore_errors=True)
            os.makedirs(f"{root}/{useless}")
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as archive:
            run(["docker", "import", "-", BASE_IMAGE], stdin=archive.stdout,
                stdout=subprocess.DEVNULL, env=self.environment)
        shutil.rmtree(root)

    def _stop(self):
        if self._daemon:
            self._daemon.send_signal(signal.SIGTERM)
            try:
                self._daemon.wait(30)
            except subprocess.TimeoutExpired:
                self._daemon.kill()
                self._daemon.wait()
            self._restore_network()
            self._daemon = None
        if self._folder:
            for mount in mounts_below(self._folder):
                subprocess.run(["umount", "--lazy", mount], check=False)
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _restore_network(self):
        if not self._bridge_was_there:
            subprocess.run(["ip", "link", "delete", "docker0"], check=False, capture_output=True)
        subprocess.run(["iptables-restore"], input=self._firewall or NO_FIREWALL, text=True,
                       check=False)
        write(FORWARDING, self._forwarding)


def mounts_below(folder):
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        points = [line.split()[1] for line in mounts]
    return sorted((p for p in points if p.startswith(folder + "/")), key=len, reverse=True)


def debian_mirror():
    """Where this machine gets Debian's packages from, as an argument of debootstrap, if it is a Debian of
    the same suite; otherwise nothing, and debootstrap knows its own."""
    listing = output_of(["apt-get", "indextargets", "--format", "$(ORIGIN) $(CODENAME) $(REPO_URI)",
                         "Created-By: Packages"])
    for line in listing.splitlines():
        origin, codename, address = (line.split() + ["", "", ""])[:3]
        if origin == "Debian" and codename == SUITE:
            return [address]
    return []


def apt_settings_of_the_host():
    wanted = ("Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::Check-Valid-Until",
              "Acquire::Check-Date")
    return "".join(line + "\n" for line in output_of(["apt-config", "dump"]).splitlines()
                   if line.startswith(wanted))
