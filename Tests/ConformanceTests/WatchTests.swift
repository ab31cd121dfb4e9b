// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// Files change, and services follow. What must not count is written before something that does: it would be in the count of the cause.
@Suite(.serialized) struct WatchTests {
    private func begin(_ rule: String, isShimmed: Bool = false) throws -> Workplace {
        let place = try Workplace(shim: isShimmed ? .calls : nil)
        _ = try place.shell(
            "mkdir -p src/lib src/.git src/node_modules/x && echo 1 >src/app.py && echo 1 >src/lib/deep.py")
        try place.write(
            """
            name: watch
            services:
              web:
                command: [sleep, '4401']
                watch:
                  - \(rule)
            """)
        return place
    }

    /// Why the next launch came.
    private func whatChanged(_ place: Workplace, when command: String) throws -> String {
        let pid = try place.pid("web")
        _ = try place.shell(command)
        try place.eventually("it is another process") {
            let now = try place.pid("web")
            return try now != nil && now != pid && place.phase("web") == "ready"
        }
        let told = try place.orch("events", "web").output.split(separator: "\n").last { $0.contains("changed (watch)") }
        return String(told ?? "").replacing(place.folder, with: "")
    }

    static let ways = [
        ("echo 2 >src/app.py", "/src/app.py"),
        ("echo 3 >src/.new && mv src/.new src/app.py", "/src/app.py"),
        ("echo 2 >src/lib/deep.py", "/src/lib/deep.py"),
        ("mkdir -p src/a/b/c && echo 1 >src/a/b/c/new.py", "/src/a/b/c/new.py"),
        ("mv src/lib src/z", "/src/lib/deep.py and 1 more"),
        ("mkdir src/conf && echo 1 >src/conf/any", "/src/conf/any"),
        ("rm src/lib/deep.py", "/src/lib/deep.py"),
        ("rm -r src/lib", "/src/lib/deep.py"),
        (
            "for name in .git node_modules/x .; do echo 1 >src/$name/test_x.py; done; echo 1 >src/note.txt; echo 4 >src/app.py",
            "/src/app.py"
        ),
    ]

    @Test(arguments: ways) func whatIsSavedRestartsIt(command: String, name: String) throws {
        let place = try begin("{ path: ./src, include: ['*.py', conf/*], ignore: ['test_*'], debounce: 100ms }")
        try place.apply()
        let cause = try whatChanged(place, when: command)
        #expect(cause.contains("\(name) changed (watch)"), "\(cause)")
        #expect(try place.end() == "")
    }

    /// A file alone, also one that is a link, as a mounted configuration is: what it leads to is what counts.
    @Test func aFileIsWatchedThroughItsLinks() throws {
        let place = try begin("{ path: ./conf, debounce: 50ms }")
        _ = try place.shell(
            "mkdir v1 v2 && echo 1 >v1/conf && echo 22 >v2/conf && ln -s v1 data && ln -s data/conf conf")
        try place.apply()
        let cause = try whatChanged(place, when: "echo 1 >other; ln -s v2 data.new && mv -T data.new data")
        #expect(cause.contains("/conf changed (watch)"), "\(cause)")
        #expect(try place.end() == "")
    }

    @Test func whatIsWatchedMayGoAndComeBack() throws {
        let place = try begin("{ path: ./src, debounce: 50ms }")
        try place.apply()
        #expect(try whatChanged(place, when: "rm -r src").contains("changed (watch)"))
        #expect(try whatChanged(place, when: "mkdir src && echo 1 >src/app.py").contains("/src/app.py changed (watch)"))
        #expect(try whatChanged(place, when: "echo 22 >src/app.py").contains("/src/app.py changed (watch)"))
        #expect(try place.end() == "")
    }

    /// F55: as many as the kernel has no room for are one restart, or two where the storm itself has a lull; what comes after them is seen.
    /// One is left: a look that comes after all of them would find everything as it was.
    @Test func aStormIsOneRestart() throws {
        let place = try begin("{ path: ./src, debounce: 5s }")
        try place.apply()
        let cause = try whatChanged(place, when: "cd src && seq 30000 | xargs touch && seq 2 30000 | xargs rm")
        #expect(cause.contains("changed (watch)"), "\(cause)")
        let launches = try place.orch("events", "web").output.split(separator: "\n").count { $0.contains("pid ") }
        #expect(launches <= 3, "\(launches)")
        try place.write(contents(place.folder + "/orch.yaml").replacing("5s", with: "0s"))
        try place.apply()
        let pid = try place.pid("web")
        try place.eventually("what comes later is seen") {
            _ = try place.shell("date +%N >src/app.py")
            return try place.pid("web") != pid
        }
        #expect(try place.end() == "")
    }

    /// F56: the kernel has no watch left, and then none at all.
    @Test(arguments: ["inotify_add \(ENOSPC)", "inotify_init \(EMFILE)"]) func withoutWatchesFilesAreLookedAt(
        call: String
    ) throws {
        let place = try begin("{ path: ./src, debounce: 50ms }", isShimmed: true)
        #expect(try place.orch("daemon", "start").status == 0)
        try place.write("orchd \(call) 1 1\n", to: "../fault")
        try place.apply()
        let isAdd = call.hasPrefix("inotify_add")
        let sysctl = isAdd ? "fs.inotify.max_user_watches" : "fs.inotify.max_user_instances"
        try place.eventually("it is said") { try place.orch("daemon", "status").output.contains("sysctl \(sysctl)") }
        #expect(try whatChanged(place, when: "echo 22 >src/app.py").contains("/src/app.py changed (watch)"))
        #expect(try place.end() == "")
    }

    @Test func aSignalOrACommandLeavesItRunning() throws {
        let place = try begin("{ path: ./src, debounce: 50ms, action: { signal: HUP } }")
        try place.write(
            """
            name: watch
            services:
              web:
                command: 'trap "echo again >>../told" HUP; while :; do sleep 0.02; done'
                working_dir: ./src
                watch: [{ path: ./src/lib, debounce: 50ms, action: { signal: HUP } }, { path: ./src/app.py, debounce: 50ms, action: { command: 'echo $ORCH_INSTANCE >>../built; exit 3' } }]
            """)
        try place.apply()
        let pid = try place.pid("web")
        _ = try place.shell("echo 2 >src/lib/deep.py")
        try place.until("it was told") { contents(place.folder + "/told").contains("again") }
        _ = try place.shell("echo 2 >src/app.py")
        try place.eventually("the command's failure is told") {
            try place.orch("events", "web").output.contains("after a change of files: ")
        }
        #expect(contents(place.folder + "/built") == "web\n")
        #expect(try place.pid("web") == pid)
        #expect(try place.end() == "")
    }

    @Test func aReloadIsTheServicesOwn() throws {
        let place = try Workplace()
        try place.write("1", to: "conf")
        try place.write(
            """
            name: watch
            services:
              web:
                command: [sleep, '4403']
                reload: { command: "cp conf taken" }
                watch: [{ path: ./conf, debounce: 50ms, action: reload }]
            """)
        try place.apply()
        let pid = try place.pid("web")
        try place.write("2", to: "conf")
        try place.until("it is taken up") { contents(place.folder + "/taken") == "2" }
        #expect(try place.pid("web") == pid)
        #expect(try place.orch("events").output.contains("changed (watch): it reloads"))
        #expect(try place.end() == "")
    }

    /// What is watched follows the manifest, without a restart, and the daemon's own end.
    @Test func rulesAreTakenUpLive() throws {
        let place = try begin("{ path: ./src, debounce: 50ms }")
        try place.apply()
        let pid = try place.pid("web")
        let text = contents(place.folder + "/orch.yaml")
        try place.write(text.replacing("./src", with: "./src/lib"))
        try place.apply()
        #expect(try place.pid("web") == pid)
        let cause = try whatChanged(place, when: "echo 2 >src/app.py; echo 2 >src/lib/deep.py")
        #expect(cause.contains("/src/lib/deep.py changed (watch)"), "\(cause)")
        let before = try place.daemon()
        kill(before, SIGKILL)
        try place.eventually("another daemon is there") {
            try place.phase("web") == "ready" && place.daemon() != before
        }
        #expect(try whatChanged(place, when: "echo 33 >src/lib/deep.py").contains("deep.py changed (watch)"))
        #expect(try place.end() == "")
    }
}
