# SPDX-License-Identifier: Apache-2.0
"""What the harness knows of the machine: its folder, the compiled programs, the slots that services write, and /proc."""

import ctypes
import mmap
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"
SLOT_BYTES = 32
MOST_SERVICES = 16384
# For logs, rotated and checked in memory, and some air.
ROOM_BYTES = 1_500_000_000
PR_SET_CHILD_SUBREAPER = 36

now = time.monotonic_ns


class Wrong(Exception):
    """Something that no budget excuses: a lost line, a lost service, one that didn't start."""


def memory_folder():
    """Where the runs live: the file system in memory when it has room and lets programs be executed, else the usual one."""
    shm = "/dev/shm"
    if os.path.isdir(shm) and os.access(shm, os.W_OK):
        room = os.statvfs(shm)
        if room.f_bavail * room.f_frsize > ROOM_BYTES and not room.f_flag & os.ST_NOEXEC:
            return shm
    return None


class Machine:
    """The folder of this run, with the programs in it, and what is running because of us."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="orch-bench-", dir=memory_folder())
        # Whatever daemon detaches itself stays our descendant, so that at the end exactly those are killed.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            import resource

            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            most = 65536 if os.geteuid() == 0 else hard
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), max(hard, most)))
        except (ValueError, OSError):
            pass  # with fewer descriptors the large rows say what failed
        self.slots = Slots(os.path.join(self.folder, "slots"))
        self.compile()

    def program(self, name):
        return os.path.join(self.folder, "bin", name)

    def compile(self):
        os.mkdir(os.path.join(self.folder, "bin"))
        bare = [
            "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-fno-asynchronous-unwind-tables",
            "-Wl,--build-id=none,-z,norelro,-n", f'-DSLOTS="{self.slots.path}"',
        ]
        hosted = ["-D_GNU_SOURCE", "-pthread", "-static"]
        for name, source, flags in [
            ("service", "service", bare), ("service-ready", "service", bare + ["-DREADY_FD=3"]), ("writer", "writer", bare),
            ("limit", "limit", hosted), ("pump", "pump", hosted), ("checker", "checker", hosted), ("web", "web", hosted),
        ]:
            command = ["cc", "-O2", "-w", *flags, "-o", self.program(name), str(PROGRAMS / f"{source}.c")]
            done = subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            if done.returncode:
                raise SystemExit(f"bench: the C compiler refuses {source}.c (libc.a is needed): {done.stderr}")

    def fresh(self, name):
        """An empty folder."""
        path = os.path.join(self.folder, name)
        shutil.rmtree(path, ignore_errors=True)
        os.mkdir(path)
        return path

    def clear(self):
        """Kills what is left of a run: our own descendants, and nothing else."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            left = running_descendants()
            for pid in left:
                send(pid, signal.SIGKILL)
            reap()
            if not left:
                return
            time.sleep(0.01)
        raise Wrong(f"processes that can't be killed: {left}")

    def end(self):
        self.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


class Slots:
    """What the services write: when they started, their pid, when they were told to stop."""

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as file:
            file.truncate(MOST_SERVICES * SLOT_BYTES)
        self.file = open(path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), MOST_SERVICES * SLOT_BYTES)
        self.words = memoryview(self.map).cast("Q")

    def clear(self):
        self.map[:] = bytes(MOST_SERVICES * SLOT_BYTES)
        if os.path.exists(self.path + ".go"):
            os.unlink(self.path + ".go")

    def go(self):
        open(self.path + ".go", "w").close()

    def starts(self, count):
        return self.words[0 : 4 * count : 4].tolist()

    def pids(self, count):
        return self.words[1 : 4 * count : 4].tolist()

    def stops(self, count):
        return self.words[2 : 4 * count : 4].tolist()

    def wait_started(self, count, after=0, timeout=60.0):
        """Waits until all have started after the given time, and returns when each did."""
        end = time.monotonic() + timeout
        while True:
            starts = self.starts(count)
            if min(starts) > after:
                return starts
            if time.monotonic() > end:
                raise Wrong(f"{sum(start > after for start in starts)} of {count} services started within {timeout:.0f} s")
            reap()
            time.sleep(0.001 if count <= 100 else 0.004)


def send(pid, number):
    try:
        os.kill(pid, number)
    except OSError:
        pass


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def wait_until(fact, timeout, pause=0.001):
    """Whether it came true in time."""
    end = time.monotonic() + timeout
    while not fact():
        if time.monotonic() > end:
            return False
        reap()
        time.sleep(pause)
    return True


def stat_of(pid):
    """The fields of /proc/PID/stat after the name, or None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    return text[text.rindex(b")") + 2 :].split()


def is_running(pid):
    fields = stat_of(pid)
    return fields is not None and fields[0] not in (b"Z", b"X")


def running_descendants():
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := stat_of(entry)) and fields[0] not in (b"Z", b"X"):
            children.setdefault(int(fields[1]), []).append(int(entry))
    found, rest = [], [os.getpid()]
    while rest:
        some = children.get(rest.pop(), [])
        found += some
        rest += some
    return found


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""


def lines_of(pid, path, start):
    """The numbers after a word at a line's start, in that file of each thread of the process."""
    found = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/{path}") as file:
                found += [int(line.split()[1]) for line in file if line.startswith(start)]
    except OSError:
        pass
    return found


def wakeups(pids):
    """How often their threads have gone to sleep by themselves, which is how often they woke."""
    return sum(sum(lines_of(pid, "status", "voluntary_ctxt")) for pid in pids)


def ticks(pids):
    """CPU time as the kernel accounts it, in clock ticks (100 a second nearly everywhere)."""
    return sum(int(fields[11]) + int(fields[12]) for pid in pids if (fields := stat_of(pid)))


def cpu_ns(pids):
    """CPU time of all threads. schedstat counts nanoseconds where the kernel has it (CONFIG_SCHED_INFO), else ticks are made of them."""
    total = 0
    for pid in pids:
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                    total += int(file.read().split()[0])
        except (OSError, ValueError, IndexError):
            total += ticks([pid]) * (10**9 // os.sysconf("SC_CLK_TCK"))
    return total


def pss_mb(pids):
    """Memory that is theirs: what several share is divided among them."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except OSError:
            pass
    return total * 1024 / 1e6


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, round(part * (len(values) - 1)))]


median = statistics.median
