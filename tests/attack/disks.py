"""File systems of one's own in a file: made, mounted, filled, cut off and taken away."""

import fcntl
import os
import struct
import subprocess

SHUTDOWN = 0x8004587D  # _IOR('X', 125, u32), of ext4 and xfs alike
FLUSH_LOG, FLUSH_NOTHING = 1, 2
MAKERS = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"]}


class Unavailable(Exception):
    """This machine cannot mount it."""


class Disk:
    """Use it in a `with`."""

    def __init__(self, folder, kind, megabytes):
        self._image = os.path.join(folder, f"{kind}.img")
        self.mount_point = os.path.join(folder, f"{kind}.mounted")
        self._mounted = False
        with open(self._image, "wb") as file:
            file.truncate(megabytes << 20)
        os.makedirs(self.mount_point, exist_ok=True)
        self._call([*MAKERS[kind], self._image])
        self.mount()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.unmount()
        os.remove(self._image)
        os.rmdir(self.mount_point)

    @staticmethod
    def _call(command):
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError as missing:
            raise Unavailable(str(missing)) from missing
        if done.returncode != 0:
            raise Unavailable(f"{' '.join(command)}: {done.stderr.strip()}")

    def mount(self):
        self._call(["mount", "-o", "loop", self._image, self.mount_point])
        self._mounted = True

    def unmount(self):
        if self._mounted:
            self._call(["umount", self.mount_point])
            self._mounted = False

    def cut_power(self, how):
        """From now on nothing reaches the disk; what the journal does not have is gone."""
        directory = os.open(self.mount_point, os.O_RDONLY)
        try:
            fcntl.ioctl(directory, SHUTDOWN, struct.pack("I", how))
        finally:
            os.close(directory)

    def free_bytes(self):
        space = os.statvfs(self.mount_point)
        return space.f_bavail * space.f_frsize
