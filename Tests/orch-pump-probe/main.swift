// SPDX-License-Identifier: Apache-2.0
// A log pump in a process of its own, to be killed by tests: reads the pipe at descriptor 3 into the file FILE. Writes a byte to
// standard output once it is attached; at the end of standard input it reads the pipe to its end and exits 0.
// orch-pump-probe FILE ROTATE_BYTES KEEP FORMAT [LEVELS ERROR_FILE]
import Glibc
import OrchLinux
import OrchModel

func probe(_ arguments: [String]) throws(SystemError) -> Int32 {
    guard arguments.count == 5 || arguments.count == 7, let size = Int64(arguments[2]), let keep = Int(arguments[3]),
        let format = LoggingSpec.Format(rawValue: arguments[4])
    else { return 64 }
    var rotate = LoggingSpec.Rotation()
    rotate.size = size
    rotate.keep = keep
    var sink = LogSink(.file(arguments[1]), format: format, rotate: rotate)
    if arguments.count == 7 {
        sink.levels = LoggingSpec.Levels.Source(text: arguments[5])
        sink.errorFile = arguments[6]
    }
    let pump = try LogPump()
    pump.attach(
        LaunchID(1), .stdout, readEnd: Descriptor(owning: 3), sink: sink)
    var byte: UInt8 = 46
    _ = unsafe write(1, &byte, 1)
    _ = unsafe read(0, &byte, 1)
    pump.finish(LaunchID(1))
    while true {
        var poll = pollfd(fd: pump.noticeDescriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe Glibc.poll(&poll, 1, 60_000) > 0 else { return 1 }
        if pump.takeNotices().contains(.drained(LaunchID(1), bytesLeft: 0)) { return pump.stop() ? 0 : 2 }
    }
}

do throws(SystemError) {
    exit(try probe(Swift.CommandLine.arguments))
} catch {
    exit(3)
}
