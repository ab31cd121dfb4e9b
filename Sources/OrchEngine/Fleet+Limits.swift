// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// What trees may use. One rhythm for all that are looked at; without any nobody wakes up for it.
extension Fleet {
    mutating func observe(_ sample: ResourceSample, at now: Moment) {
        guard let place = launchIndex[sample.launch], slots[place]?.current?.launch == sample.launch,
            slots[place]?.current?.hasEnded == false
        else { return }
        if sample.oomKills > 0 { slots[place]?.current?.isOutOfMemory = true }
        guard slots[place]?.current?.isStopping == false, let limits = spec(at: place)?.value.resources else { return }
        slots[place]?.current?.limits?.learn(sample, limits, at: now)
        if slots[place]?.current?.limits?.news.isEmpty == false { touch(place) }
    }

    /// It is looked at from now on; and what a look found is told, and acted on.
    mutating func attendLimits(_ place: Int, at now: Moment, _ effects: inout [Effect]) {
        guard let known = spec(at: place), known.isLimited, let incarnation = slots[place]?.current,
            incarnation.isExecuted, !incarnation.isStopping
        else { return }
        guard let state = incarnation.limits else {
            slots[place]?.current?.limits = LimitState()
            measured.append(incarnation.launch)
            measureAt = measureAt ?? now.instant + Limits.resourceLook
            return
        }
        guard !state.news.isEmpty else { return }
        slots[place]?.current?.limits?.news = []
        noteChange(place)
        for news in state.news {
            tell(place, news.isExceeded ? .exceeded : .recovered, news.text, at: now, key: "resources", &effects)
        }
        guard let excess = state.news.first(where: \.isExceeded) else { return }
        switch known.value.resources.onExceed {
        case .report: break
        case .restart: beginStop(place, .failure, "\(excess.text) (on_exceed: restart)", at: now, &effects)
        case .stop: beginStop(place, .retired, "\(excess.text) (on_exceed: stop)", at: now, &effects)
        }
    }

    /// Asks for one look at all trees that have limits.
    mutating func measureDue(_ effects: inout [Effect]) {
        guard let due = measureAt, due <= clock else { return }
        var questions: [ResourceQuestion] = []
        for launch in measured {
            guard let place = launchIndex[launch], let incarnation = slots[place]?.current,
                incarnation.launch == launch, !incarnation.hasEnded, !incarnation.isStopping,
                let limits = spec(at: place)?.value.resources, incarnation.limits?.mustBeLookedAt(limits) == true
            else { continue }
            questions.append(ResourceQuestion(launch: launch, limits: limits))
        }
        measured = questions.map(\.launch)
        measureAt = questions.isEmpty ? nil : clock + Limits.resourceLook
        if !questions.isEmpty { effects.append(.measure(questions)) }
    }

    /// How an instance stands against its limits, for `status`.
    func limits(of slot: Slot) -> [LimitStatus] {
        let known = spec(of: slot)
        guard known.isLimited, let state = slot.current?.limits else { return [] }
        let limits = known.value.resources
        return limits.limited.compactMap { resource in
            limits[resource].map {
                LimitStatus(
                    resource: resource, limit: $0, use: state.use(of: resource), isHeld: state.held.contains(resource),
                    exceededSince: state.excess(of: resource)?.since)
            }
        }
    }

    /// How it ended, for people; that the kernel killed it for want of memory included.
    func endText(of incarnation: Incarnation, _ slot: Slot) -> String? {
        guard let exit = incarnation.exit else { return nil }
        guard isOutOfMemory(incarnation) else { return exit.text }
        guard let limit = version(of: slot, incarnation).value.resources.memory else {
            return "\(exit.text), from the kernel: out of memory"
        }
        return "\(exit.text), from the kernel: out of memory at its limit of \(SizeText.brief(limit))"
    }

    func isOutOfMemory(_ incarnation: Incarnation) -> Bool {
        guard incarnation.isOutOfMemory, case .signal(.kill, _) = incarnation.exit else { return false }
        return incarnation.stopping == nil || incarnation.stopping?.motive == .clearing
    }

    /// It went beyond its limit of memory, the kernel ended it, and that is to be the end.
    func isRetiredByKernel(_ incarnation: Incarnation, _ slot: Slot) -> Bool {
        let limits = version(of: slot, incarnation).value.resources
        return limits.onExceed == .stop && limits.memory != nil && isOutOfMemory(incarnation)
    }
}
