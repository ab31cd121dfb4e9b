# SPDX-License-Identifier: Apache-2.0
"""Other supervisors, each with its lowest restart delay. Those that are installed take part."""

import os
import shlex
import signal
import time

from supervisors import KEPT_FILES, ROTATE_BYTES, Supervisor


class Dinit(Supervisor):
    # Its logfile is opened by the service itself, without a pipe and without rotation, so it is no logger to compare with.
    name = "dinit"
    programs = ("dinit", "dinitctl")
    has_dependencies = True

    def text(self, service, *more):
        rows = [
            "type = process", "command = " + " ".join([*service.command, *more]), "restart = true", "smooth-recovery = true",
            "restart-delay = 0", "restart-limit-interval = 0"]
        if service.after is not None:
            rows.append(f"depends-on: s{service.after}")
        return "\n".join(rows) + "\n"

    def put(self, name, text):
        with open(self.path("d", name), "w") as file:
            file.write(text)

    def configure(self, services):
        self.services = services
        os.mkdir(self.path("d"))
        for service in services:
            self.put(service.name, self.text(service))
        self.put("boot", "type = internal\n" + "".join(f"waits-for: {service.name}\n" for service in services))

    def control(self, *words):
        return ["dinitctl", "-p", self.path("socket"), *words]

    def start(self):
        self.process = self.open(["dinit", "-u", "-q", "-d", self.path("d"), "-p", self.path("socket"), "boot"])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)

    def status_command(self):
        return self.control("list")

    def change(self, number):
        self.put(f"s{number}", self.text(self.services[number], "changed"))
        return [self.control("reload", f"s{number}"), self.control("restart", f"s{number}")]


class Supervisord(Supervisor):
    name = "supervisord"
    programs = ("supervisord", "supervisorctl")
    has_logs = True

    def section(self, service, *more):
        rows = [
            f"[program:{service.name}]", "command=" + " ".join([*service.command, *more]), "autorestart=true", "startsecs=0"]
        if service.log:
            rows += [
                f"stdout_logfile={service.log}/{service.name}.log", f"stdout_logfile_maxbytes={ROTATE_BYTES}",
                f"stdout_logfile_backups={KEPT_FILES}", "redirect_stderr=true"]
        else:
            rows += ["stdout_logfile=NONE", "stderr_logfile=NONE"]
        return "\n".join(rows) + "\n\n"

    def write(self, changed=None):
        count, folder = len(self.services), self.folder
        head = (
            f"[unix_http_server]\nfile={folder}/socket\n[supervisord]\nnodaemon=true\nlogfile={folder}/log\npidfile={folder}/pid\n"
            f"childlogdir={folder}\nminfds={4 * count + 256}\nminprocs={count + 200}\n[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
            f"[supervisorctl]\nserverurl=unix://{folder}/socket\n\n")
        with open(self.path("conf"), "w") as file:
            file.write(head)
            for service in self.services:
                file.write(self.section(service, *(["changed"] if service.number == changed else [])))

    def configure(self, services):
        self.services = services
        self.write()

    def start(self):
        self.process = self.open(["supervisord", "-n", "-c", self.path("conf")])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)

    def status_command(self):
        return ["supervisorctl", "-c", self.path("conf"), "status"]

    def change(self, number):
        self.write(changed=number)
        return [["supervisorctl", "-c", self.path("conf"), "update"]]

    def log_files(self, service):
        """The newest last; it rotates inside lines, so they are read as one."""
        kept = [name for name in os.listdir(service.log) if name.startswith(f"{service.name}.log.")]
        kept.sort(key=lambda name: -int(name.rsplit(".", 1)[1]))
        return ["+".join(f"{service.log}/{name}" for name in [*kept, f"{service.name}.log"])]


class RunFolders(Supervisor):
    """The family of daemontools: a folder and a process for each service, and one more for its logger."""

    has_logs = True
    most = 1000
    rest_seconds = 1.3
    plain = "service"

    def logger(self, folder):
        raise NotImplementedError

    def place(self, service):
        return self.path("scan", service.name)

    def put(self, path, command):
        with open(path + ".new", "w") as file:
            file.write(f"#!/bin/sh\nexec {shlex.join(command)}\n")
        os.chmod(path + ".new", 0o755)
        os.rename(path + ".new", path)

    def configure(self, services):
        self.services = services
        os.mkdir(self.path("scan"))
        for service in services:
            place = self.place(service)
            os.mkdir(place)
            if service.is_plain:
                os.symlink(self.machine.program(self.plain), f"{place}/run")
            else:
                self.put(f"{place}/run", service.command)
            if service.is_plain and self.plain == "service-ready":
                with open(f"{place}/notification-fd", "w") as file:
                    file.write("3\n")
            if service.log:
                os.mkdir(f"{place}/log")
                os.makedirs(f"{service.log}/{service.name}", exist_ok=True)
                self.put(f"{place}/log/run", self.logger(f"{service.log}/{service.name}"))

    def again(self, place):
        raise NotImplementedError

    def change(self, number):
        service = self.services[number]
        self.put(f"{self.place(service)}/run", [*service.command, "changed"])
        return [self.again(self.place(service))]

    def log_files(self, service):
        folder = f"{service.log}/{service.name}"
        kept = sorted(name for name in os.listdir(folder) if name.startswith("@"))
        return ["+".join(f"{folder}/{name}" for name in [*kept, "current"])]


class Runit(RunFolders):
    name = "runit"
    programs = ("runsvdir", "runsv", "sv", "svlogd")

    def logger(self, folder):
        with open(f"{folder}/config", "w") as file:
            file.write(f"s{ROTATE_BYTES}\nn{KEPT_FILES}\n")
        return ["svlogd", folder]

    def prepare(self):
        # runsvdir doesn't trust a folder that changed within this second.
        time.sleep(1.1)

    def start(self):
        self.process = self.open(["runsvdir", self.path("scan")])

    def stop(self):
        self.process.send_signal(signal.SIGHUP)

    def status_command(self):
        return ["sv", "status", *map(self.place, self.services)]

    def again(self, place):
        return ["sv", "restart", place]


class S6(RunFolders):
    # It always rests a second after the death of a service that was never ready, so these say that they are.
    name = "s6"
    programs = ("s6-svscan", "s6-supervise", "s6-svscanctl", "s6-svc", "s6-svstat", "s6-log")
    plain = "service-ready"

    def logger(self, folder):
        return ["s6-log", f"n{KEPT_FILES}", f"s{ROTATE_BYTES}", folder]

    def start(self):
        self.process = self.open(["s6-svscan", "-c", str(2 * len(self.services) + 50), self.path("scan")])

    def stop(self):
        self.call(["s6-svscanctl", "-t", self.path("scan")])

    def status_command(self):
        return ["sh", "-c", f"for d in {self.path('scan')}/*; do s6-svstat $d; done"]

    def again(self, place):
        return ["s6-svc", "-r", place]


class Daemontools(RunFolders):
    name = "daemontools"
    programs = ("svscan", "supervise", "svc", "svstat", "multilog")

    def logger(self, folder):
        return ["multilog", f"n{KEPT_FILES}", f"s{ROTATE_BYTES}", folder]

    def start(self):
        self.process = self.open(["svscan", self.path("scan")])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        folders = [self.place(service) for service in self.services]
        self.call(["svc", "-dx", *folders, *(f"{self.place(s)}/log" for s in self.services if s.log)])

    def status_command(self):
        return ["svstat", *map(self.place, self.services)]

    def again(self, place):
        return ["svc", "-t", place]


PEERS = [Dinit, Daemontools, Runit, S6, Supervisord]
