// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A terminal as a person sees it: a pseudo-terminal of the kernel's with a program on the other side of it.
final class Screen {
    let child: pid_t
    private let holder: Int32
    private let terminal: Int32
    private(set) var text = ""
    /// TIOCSPTLCK and TIOCGPTN (ioctl_tty(2)), which Swift's Glibc lacks.
    private static let (unlock, number): (UInt, UInt) = (0x4004_5431, 0x8004_5430)

    /// Runs `orch` with these words in a session of its own that the terminal controls.
    init(_ place: Workplace, _ words: [String], rows: UInt16 = 24, columns: UInt16 = 80) throws {
        holder = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        var (locked, number): (Int32, Int32) = (0, 0)
        guard holder >= 0, unsafe ioctl(holder, Self.unlock, &locked) == 0,
            unsafe ioctl(holder, Self.number, &number) == 0
        else { throw Broken("no pseudo-terminal: \(errno)") }
        let path = "/dev/pts/\(number)"
        terminal = unsafe open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else { throw Broken("cannot open \(path): \(errno)") }
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = unsafe ioctl(holder, UInt(TIOCSWINSZ), &size)
        let enter = "exec /usr/bin/setsid -c \"$@\" <\"$0\" >\"$0\" 2>&1"
        child = try place.start(["/bin/sh", "-c", enter, path, program("orch")] + words)
    }

    deinit {
        close(holder)
        close(terminal)
    }

    func resize(rows: UInt16, columns: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = unsafe ioctl(holder, UInt(TIOCSWINSZ), &size)
    }

    func type(_ keys: String) { _ = unsafe write(holder, keys, keys.utf8.count) }

    /// Takes up what is shown.
    func look() {
        var block = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe read(holder, &block, block.count)
            guard count > 0 else { return }
            text += String(decoding: block[..<count], as: UTF8.self)
        }
    }

    func shows(_ words: String) -> Bool {
        look()
        return text.contains(words)
    }

    /// What was shown until now counts no more.
    func wipe() {
        look()
        text = ""
    }

    /// Lines are gathered and echoed, as a shell wants to find it.
    var isAsItWas: Bool {
        var settings = termios()
        return unsafe tcgetattr(terminal, &settings) == 0
            && settings.c_lflag & tcflag_t(ICANON | ECHO | ISIG) == tcflag_t(ICANON | ECHO | ISIG)
            && settings.c_oflag & tcflag_t(OPOST) != 0
    }

    /// Its code once it has ended, 128 and the signal; nil while it runs.
    private(set) var ended: Int32?
    func hasEnded() -> Bool {
        look()
        var status: Int32 = 0
        if ended == nil, unsafe waitpid(child, &status, WNOHANG) == child {
            ended = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
        }
        return ended != nil
    }
}
