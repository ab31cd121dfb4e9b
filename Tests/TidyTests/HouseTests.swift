// SPDX-License-Identifier: Apache-2.0
import Testing

/// The repository keeps its own rules. A failure lists every place.
@Suite struct HouseTests {
    @Test func theTreeIsThere() {
        #expect(SourceTree.sources.count > 30)
        #expect(SourceTree.sources.contains { $0.path == "Package.swift" })
        #expect(SourceTree.texts.contains { $0.path == "README.md" })
    }

    @Test func importsFollowTheArrows() {
        #expect(report(SourceTree.sources.flatMap { Arrows.findings(in: $0) }) == "")
    }

    @Test func filesAndFunctionsAreShort() {
        #expect(report(SourceTree.sources.flatMap { Sizes.overlongFile($0) }) == "")
        #expect(report(SourceTree.sources.flatMap { Sizes.overlongFunctions($0) }) == "")
        #expect(report(Sizes.overlongFolders(SourceTree.sources)) == "")
    }

    @Test func bannedCallsAndNamesStayOut() {
        #expect(report(SourceTree.sources.flatMap { Words.bannedCalls($0) }) == "")
        #expect(report(SourceTree.sources.flatMap { Words.bannedNames($0) }) == "")
    }

    @Test func nothingIsLeftForLater() {
        #expect(Words.unfinished != nil)
        #expect(report(SourceTree.texts.flatMap { Words.unfinishedWork($0) }) == "")
    }

    @Test func nothingNamesTheMachineItWasMadeOn() {
        #expect(report(SourceTree.texts.flatMap { Words.machinePaths($0, root: SourceTree.root) }) == "")
    }

    @Test func everySourceNamesItsLicence() {
        #expect(report(SourceTree.sources.flatMap { Shape.missingLicence($0) }) == "")
    }

    @Test func publicTypesSayWhatTheyAre() {
        #expect(report(SourceTree.sources.flatMap { Shape.undocumented($0) }) == "")
    }

    @Test func linksLeadSomewhere() {
        #expect(report(SourceTree.texts.flatMap { Shape.deadLinks($0, exists: SourceTree.exists) }) == "")
    }
}
