// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// `security.read_only` and `security.private_tmp`: as root by a mount namespace, as anybody else by one in a user namespace.
@Suite(.serialized) struct MountTests {
    /// Whether the kernel lets users make namespaces.
    static let areNamespacesFree: Bool = {
        let place = try? Workplace(isNobody: geteuid() == 0)
        defer { _ = try? place?.end() }
        let become = geteuid() == 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : ""
        return (try? place?.shell(become + "unshare -U -m true").status) == 0
    }()

    @Test(arguments: [false, true]) func itHasATmpOfItsOwnAndWritesNowhereElse(isNobody: Bool) throws {
        guard isNobody ? Self.areNamespacesFree && geteuid() == 0 : geteuid() == 0 || Self.areNamespacesFree else {
            return
        }
        let place = try Workplace(isNobody: isNobody)
        // Outside of /tmp, which it has not.
        let (data, mark) = ("/dev/shm/orch-test-\(getpid())-\(isNobody)", "orch-mark-\(getpid())-\(isNobody)")
        _ = try place.shell("mkdir -p -m 777 \(data)/closed \(data)/open")
        let looks = "[ $(cat /tmp/\(mark)) = hi ] && ! touch \(data)/closed/file 2>/dev/null"
        try place.write(
            """
            name: shop
            services:
              web:
                command: "ls -A /tmp /var/tmp; stat -c %a /tmp; echo hi > /tmp/\(mark); echo open > \(data)/open/file; echo no > \(data)/closed/file || echo refused; exec sleep 4801"
                working_dir: /
                security: { private_tmp: true, read_only: [\(data)/closed] }
                logging: { stdout: web.log, stderr: null }
                health: { readiness: { command: "\(looks)", interval: 100ms } }
                hooks: { post_ready: { command: "\(looks) && echo hook >> \(data)/open/seen" } }
                stop: [{ command: "\(looks) && echo step >> \(data)/open/seen", wait: 10s }, { signal: SIGTERM, wait: 10s }]
              other:
                command: "ls /tmp/\(mark) 2>/dev/null || echo unseen; exec sleep 4802"
                depends_on: [web]
                working_dir: /
                logging: { stdout: other.log }
            """)
        #expect(try place.orch("apply").status == 0, "its probe sees its file")
        let log = "/tmp:\n\n/var/tmp:\n1777\nrefused\n"
        #expect(contents(place.folder + "/web.log") == log)
        #expect(contents(data + "/open/file") == "open\n")
        try place.until("others don't see it") { contents(place.folder + "/other.log") == "unseen\n" }
        #expect(unsafe access("/tmp/\(mark)", F_OK) != 0)
        let seen = try place.orch("exec", "web", "--", "sh", "-c", "cat /tmp/\(mark); touch \(data)/closed/file")
        #expect(seen.output == "hi\n" && seen.status != 0, "\(seen)")
        kill(try place.daemon(), SIGKILL)
        try place.eventually("another daemon's probes see the same") { try place.phase("web") == "ready" }
        try place.until("a hook sees the same") { contents(data + "/open/seen").hasPrefix("hook\n") }
        #expect(try place.orch("restart", "web").status == 0)
        try place.until("so does a step, and the next launch's hook") {
            contents(data + "/open/seen") == "hook\nstep\nhook\n"
        }
        #expect(contents(place.folder + "/web.log") == log + log, "the next launch has another one")
        _ = try place.shell("rm -r \(data)")
        #expect(try place.end() == "")
    }

    @Test func whatCanNotBeHadIsNamed() throws {
        guard geteuid() == 0 || Self.areNamespacesFree else { return }
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              web: { command: [sleep, "4803"], restart: no, security: { read_only: [/no/such/folder] } }
              said: { command: [sleep, "4804"], restart: no, working_dir: /, ready: { notify: true }, security: { private_tmp: true } }
              other: { command: [sleep, "4805"] }
            """)
        let apply = try place.orch("apply")
        let flat = apply.output.split { $0 == "\n" || $0 == " " }.joined(separator: " ")
        #expect(
            apply.status == 1 && flat.contains("close to writers") && flat.contains("correct `read_only`"), "\(apply)")
        #expect(flat.contains("would not see") && flat.contains("outside of /tmp"), "\(apply)")
        try place.eventually("the other one is not harmed") { try place.phase("other") == "ready" }
        #expect(try place.end() == "")
    }
}
