"""What the process knows of itself and of its host, held against thresholds."""

import json
import logging
import os
import time
from pathlib import Path

log = logging.getLogger("booking.health")

ORDER = ["healthy", "degraded", "unhealthy"]


def worst(*states):
    return max(states, key=ORDER.index)


def disk_used_percent(path):
    """As df(1) counts: what root keeps in reserve is not there for us."""
    disk = os.statvfs(path)
    used = disk.f_blocks - disk.f_bfree
    return 100 * used / max(1, used + disk.f_bavail)


def memory_used_percent():
    """Of the host, by the kernel's own estimate of what is available (proc(5), MemAvailable)."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    facts = {words[0]: int(words[1]) for words in lines}
    return 100 * (1 - facts["MemAvailable:"] / facts["MemTotal:"])


class Health:
    """Thresholds come from the environment. A file, `health.json` in the state folder, overrides them in the running process, to try things
    out: {"disk_degraded_above": 0}, {"memory_degraded_above": 0} or {"status": "degraded"}. A new process removes it, so a restart heals."""

    version = "1.0.0"

    def __init__(self):
        self.started = time.monotonic()
        self.state = Path(os.environ["BOOKING_STATE"])
        self.override = self.state / "health.json"
        self.thresholds = {
            "disk_degraded_above": float(os.environ.get("BOOKING_DISK_DEGRADED_ABOVE", "95")),
            "memory_degraded_above": float(os.environ.get("BOOKING_MEMORY_DEGRADED_ABOVE", "95")),
            "status": "healthy",
        }

    def start(self):
        self.override.unlink(missing_ok=True)

    def report(self):
        limits = self.thresholds | self.overrides()
        checks = {
            "disk": self.check(disk_used_percent(self.state), float(limits["disk_degraded_above"])),
            "memory": self.check(memory_used_percent(), float(limits["memory_degraded_above"])),
        }
        return {
            "status": worst(limits["status"], *(check["status"] for check in checks.values())),
            "version": self.version,
            "uptime_seconds": round(time.monotonic() - self.started, 3),
            "pid": os.getpid(),
            "checks": checks,
        }

    def check(self, used, limit):
        return {"status": "degraded" if used > limit else "healthy", "used_percent": round(used, 1), "degraded_above": limit}

    def overrides(self):
        try:
            return json.loads(self.override.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.warning("%s is not used: %s", self.override, error)
            return {}
