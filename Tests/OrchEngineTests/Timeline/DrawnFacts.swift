// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

extension Effect {
    /// Something that a process notices.
    var actsOnProcess: Bool {
        switch self {
        case .launch, .signal, .runStep, .run, .endErrand, .kill, .react: true
        case .release, .probe, .ask, .endProbes, .relog, .rename, .note, .record, .keep, .keepUpdates,
            .goBack, .forget, .mark, .readZone, .sockets, .dropStored, .watch, .measure, .measureHost:
            false
        }
    }
}

extension Fleet {
    /// The last launch of an instance of the drawn stack; number 0, which none has, when it never had one.
    func lastLaunch(of name: String) -> LaunchID {
        status(of: nil).flatMap(\.instances).first { TimelineScript.name(of: $0.id) == name }?.launch ?? LaunchID(0)
    }
}
