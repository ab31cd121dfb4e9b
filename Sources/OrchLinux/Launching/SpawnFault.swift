// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel

/// Why a process could not be made: the keeper's stage and errno as a fact that a person can act on.
enum SpawnFault {
    /// `program` is the first word, `directory` the working directory, `user` whom it should run as, `input` the file that it
    /// reads.
    static func make(
        _ failure: SpawnFailure, program: String, directory: String, user: String?, search: [String], input: String?
    )
        -> Fault
    {
        let code = failure.code
        let reason = Reason.text(code)
        switch failure.stage {
        case .execute: return execution(code, program, directory, user, search)
        case .workingDirectory:
            let who = user.map { " and that \($0) may enter it" } ?? ""
            return Fault(
                step: "enter the working directory", subject: directory, reason: reason,
                remedy: code == ENOENT
                    ? "make it, or correct `working_dir`" : "see that it is a directory\(who), or correct `working_dir`"
            )
        case .groups, .group, .user:
            return Fault(
                step: "run as", subject: user ?? "", reason: reason,
                remedy: "leave `user` and `group_add` out, or apply the stack as root")
        case .input:
            return Fault(
                step: "read", subject: input ?? "", reason: reason,
                remedy: code == ENOENT
                    ? "make it, or correct `stdin`"
                    : "see that \(user ?? "the daemon's user") may read it, or correct `stdin`")
        case .namespace, .privateTmp, .readOnly: return mounts(failure, user: user)
        case .request where code == EINVAL:
            return Fault(
                step: "execute", subject: program, reason: "the keeper does not understand the order (\(reason))",
                remedy: "`orch daemon upgrade` puts this version's keeper in its place; services run on")
        case .request:
            return Fault(
                step: "execute", subject: program, reason: "command and environment are too large (\(reason))",
                remedy: "make them smaller")
        case .table:
            return Fault(
                step: "execute", subject: program, reason: "the keeper already holds \(KEEPER_SLOTS_MAX) processes",
                remedy: "stop some first")
        case .stale: return Fault(step: "execute", subject: program, reason: "a later launch was already made")
        case .killed: return Fault(step: "execute", subject: program, reason: "it was killed before it could begin")
        case .pipe, .clone, .controlGroup, .descriptors, .session, .oomScoreAdjust, .nice, .ioPriority, .limits,
            .noNewPrivileges, .affinity, .capabilities, .terminal:
            return Fault(
                step: "execute", subject: program, reason: "\(reason) while \(doing(failure.stage))",
                remedy: remedy(of: code) ?? remedy(at: failure.stage))
        }
    }

    private static func mounts(_ failure: SpawnFailure, user: String?) -> Fault {
        let (code, reason) = (failure.code, Reason.text(failure.code))
        if failure.stage == .readOnly, code == ENOENT || code == ENOTDIR {
            return Fault(
                step: "close to writers", subject: "the paths of `read_only`", reason: reason,
                remedy: "one of them is missing: make it, or correct `read_only`")
        }
        return Fault(
            step: "give mounts of its own to", subject: user ?? "the service", reason: reason,
            remedy: code == ENOSYS || code == EINVAL
                ? "`read_only` takes Linux 5.12, and commands beside such a service 5.8: leave `read_only` and `private_tmp` out"
                : "it takes root's daemon, or a kernel that lets users make namespaces"
                    + " (`sysctl user.max_user_namespaces`, `kernel.unprivileged_userns_clone`,"
                    + " `kernel.apparmor_restrict_unprivileged_userns`); else leave `read_only` and `private_tmp` out")
    }

    private static func execution(
        _ code: Int32, _ program: String, _ directory: String, _ user: String?, _ search: [String]
    ) -> Fault {
        let remedy: String?
        switch code {
        case ENOENT where !program.contains("/"):
            return Fault(
                step: "execute", subject: program, reason: "no such file (ENOENT) in \(search.joined(separator: ":"))",
                remedy: "install it, give its full path, or set PATH")
        case ENOENT where !program.hasPrefix("/"):
            return Fault(
                step: "execute", subject: program, reason: "no such file (ENOENT)",
                remedy:
                    "relative words are looked up from working_dir, which is \(directory); a script's interpreter must exist too"
            )
        case ENOENT: remedy = "correct `command`; a script's interpreter must exist too"
        case EACCES:
            remedy =
                "is it a file, and executable\(user.map { " for \($0)" } ?? "")? (chmod +x); the file system must not be mounted noexec"
        case ENOEXEC: remedy = "it is no program for this machine; a script must begin with a line like #!/bin/sh"
        case E2BIG: remedy = "command and environment are larger than the kernel takes (execve(2))"
        case ETXTBSY: remedy = "somebody is still writing to it"
        case ENOTDIR, ELOOP, ENAMETOOLONG: remedy = "correct the path in `command`"
        default: remedy = Self.remedy(of: code)
        }
        return Fault(step: "execute", subject: program, reason: Reason.text(code), remedy: remedy)
    }

    private static func remedy(of code: Int32) -> String? {
        guard Reason.isScarcity(code) else { return nil }
        return "the machine is short of processes, memory or descriptors; it is tried again"
    }

    /// What of the manifest asked for more than this daemon may give.
    private static func remedy(at stage: SpawnStage) -> String? {
        switch stage {
        case .nice:
            "only root may go below the daemon's own `nice` (setpriority(2)); raise it, or apply the stack as root"
        case .ioPriority:
            "only root may take `io_class: realtime` (ioprio_set(2)); take best-effort, or apply the stack as root"
        case .limits: "only root may raise a hard limit (setrlimit(2)); lower `ulimits`, or apply the stack as root"
        case .affinity:
            "none of `cpu_affinity` is a CPU that this daemon may use (`nproc`, `taskset -p $$`); correct it"
        case .capabilities:
            "only root can give capabilities up for ever; take `no_new_privileges: true`, or apply the stack as root"
        case .request, .table, .stale, .pipe, .clone, .controlGroup, .descriptors, .session, .oomScoreAdjust, .groups,
            .group,
            .user, .workingDirectory, .noNewPrivileges, .execute, .killed, .terminal, .input,
            .namespace, .privateTmp, .readOnly:
            nil
        }
    }

    private static func doing(_ stage: SpawnStage) -> String {
        switch stage {
        case .pipe: "making its pipes"
        case .clone: "making the process"
        case .controlGroup: "entering its control group"
        case .descriptors: "arranging its descriptors"
        case .session: "making its session"
        case .oomScoreAdjust: "setting its OOM score"
        case .nice: "setting its priority"
        case .ioPriority: "setting its I/O class"
        case .limits: "setting its limits"
        case .noNewPrivileges: "dropping privileges"
        case .affinity: "choosing its CPUs"
        case .capabilities: "giving up capabilities"
        case .terminal: "giving it its terminal"
        case .request, .table, .stale, .groups, .group, .user, .workingDirectory, .execute, .killed, .input, .namespace,
            .privateTmp, .readOnly:
            "starting it"
        }
    }
}
