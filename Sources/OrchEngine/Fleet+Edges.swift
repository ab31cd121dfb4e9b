// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// Who needs whom. One service may be needed by thousands, or need them: what happens to one of those costs a look, not a search.
extension Fleet {
    /// Draws the edges of a stack anew, those of services that leave included: they still hold up what they need.
    mutating func connect(_ stack: Int) {
        let places = placesOfServices(stack)
        stacks[stack].sorted = places
        for place in places { services[place].neededBy = [] }
        for place in places {
            let needs = services[place].spec.dependsOn.map { stacks[stack].services[$0.on] }
            services[place].needs = needs
            let dependencies = services[place].spec.dependsOn
            services[place].outside = dependencies.map { OutsideNeed($0.on) }
            services[place].hasOutside = services[place].outside.contains { $0 != nil }
            services[place].timed = dependencies.indices.filter {
                dependencies[$0].timeout != nil && services[place].outside[$0] == nil
            }
            // What is named twice is an edge once.
            for case let need? in needs where services[need].neededBy.last != place {
                services[need].neededBy.append(place)
            }
        }
        for place in places { services[place].neededBy.sort() }
    }

    /// What one service asks of another: usually one dependency.
    func dependencies(of service: Int, on name: String) -> ArraySlice<Dependency> {
        let all = services[service].spec.dependsOn
        // They are sorted by what they name; whoever made a spec by hand may not have sorted them.
        let first = lowerBound(all.count) { all[$0].on < name }
        var last = first
        while last < all.count, all[last].on == name { last += 1 }
        if last > first || all.count > 64 { return all[first..<last] }
        return ArraySlice(all.filter { $0.on == name })
    }

    /// Forgets a removed service once it has no slots.
    mutating func dissolve(_ service: Int) {
        let id = services[service].id
        serviceIndex[id] = nil
        if let stack = stackPlace(id.stack) {
            stacks[stack].services[id.service] = nil
            if let sorted = stacks[stack].sorted {
                let at = lowerBound(sorted.count) { services[sorted[$0]].id.service < id.service }
                if at < sorted.count, sorted[at] == service { stacks[stack].sorted?.remove(at: at) }
            }
        }
        for case let need? in services[service].needs { forget(dependant: service, of: need) }
        for dependant in services[service].neededBy {
            forget(need: service, of: dependant)
            touch(service: dependant)
        }
        clear(service)
    }

    /// Forgets all services of a stack of which nothing is left.
    mutating func dissolve(stack: Int) {
        for service in placesOfServices(stack) {
            serviceIndex[services[service].id] = nil
            clear(service)
        }
        stacks[stack].services = [:]
        stacks[stack].sorted = []
    }

    private mutating func clear(_ service: Int) {
        services[service].isRemoved = true
        services[service].needs = []
        services[service].outside = []
        services[service].timed = []
        services[service].neededBy = []
        services[service].slots = []
        freeServices.append(service)
    }

    private mutating func forget(dependant: Int, of need: Int) {
        let count = services[need].neededBy.count
        let at = lowerBound(count) { services[need].neededBy[$0] < dependant }
        if at < count, services[need].neededBy[at] == dependant { services[need].neededBy.remove(at: at) }
    }

    private mutating func forget(need: Int, of dependant: Int) {
        let name = services[need].id.service
        let all = services[dependant].spec.dependsOn
        let at = lowerBound(all.count) { all[$0].on < name }
        if at < all.count, services[dependant].needs[at] == need { services[dependant].needs[at] = nil }
        guard all.count <= 64 else { return }
        for place in all.indices where services[dependant].needs[place] == need {
            services[dependant].needs[place] = nil
        }
    }
}

/// The first index of which `precedes` does not hold; those of which it holds come first.
private func lowerBound(_ count: Int, _ precedes: (Int) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
        let middle = (low + high) / 2
        if precedes(middle) { low = middle + 1 } else { high = middle }
    }
    return low
}
