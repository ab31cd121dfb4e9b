// SPDX-License-Identifier: Apache-2.0
public import OrchModel

/// Which launches wrote into logs, by their time indexes.
public enum LogLaunches {
    /// The newest launch before `launch` that wrote into one of `paths`; nil when there was none, or its lines are gone. Reads the
    /// indexes backwards until it is found, and no log.
    public static func last(before launch: LaunchID, in paths: [String], _ files: any LogFiles) -> LaunchID? {
        paths.compactMap { last(before: launch, in: $0, files) }.max()
    }

    private static func last(before launch: LaunchID, in path: String, _ files: any LogFiles) -> LaunchID? {
        let (folder, name) = LogLayout.split(path)
        let segments = LogLayout.segments(of: name, among: files.names(in: folder)).map { LogLayout.segment(name, $0) }
        for itsName in [name] + segments.reversed() {
            let file = LogLayout.join(folder, itsName)
            // Never opened: to open a compressed segment is to unpack it.
            guard let inode = files.inode(of: file) ?? files.inode(of: LogLayout.compressed(file)) else { continue }
            var times = LogTimes(files, folder: folder, name: name, itsName: itsName, inode: inode)
            let found = times.lastLaunch(before: launch)
            times.close()
            if let found { return found }
        }
        return nil
    }
}
