// SPDX-License-Identifier: Apache-2.0

/// The one place that says which orch this is.
public enum OrchVersion {
    /// Of all programs of one build (semver.org).
    public static let text = "0.1.0"
    /// Of the frames between them; it grows when an older reader would misunderstand.
    public static let protocolNumber = 1
}
