// SPDX-License-Identifier: Apache-2.0

import CSQLite

/// What SQLite says went wrong.
struct DatabaseError: Error {
    /// The primary result code (sqlite.org/rescode.html).
    var code: Int32
    var message: String
    /// The file is not what it was: it can only be rebuilt.
    var isDamage: Bool { code == SQLITE_CORRUPT || code == SQLITE_NOTADB }
    var isFull: Bool { code == SQLITE_FULL }
}

/// A value in a row or a parameter.
enum Cell: Equatable {
    case null
    case int(Int64)
    case text(String)

    static func optional(_ text: String?) -> Cell { text.map { .text($0) } ?? .null }
    var int: Int64? { if case .int(let number) = self { number } else { nil } }
    var text: String? { if case .text(let text) = self { text } else { nil } }
}

/// One connection with its prepared statements. For one thread.
@safe final class Database {
    private var handle: OpaquePointer
    private var statements: [String: OpaquePointer] = unsafe [:]

    /// Opens or creates the file.
    init(path: String, isReadOnly: Bool = false) throws(DatabaseError) {
        let mode = isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        unsafe self.handle = try Self.open(path, mode)
        // Another program may be reading; it never takes long.
        unsafe sqlite3_busy_timeout(handle, 250)
    }

    private static func open(_ path: String, _ mode: Int32) throws(DatabaseError) -> OpaquePointer {
        var opened: OpaquePointer?
        let flags = mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = unsafe sqlite3_open_v2(path, &opened, flags, nil)
        guard let found = unsafe opened else { throw DatabaseError(code: SQLITE_NOMEM, message: "out of memory") }
        if code != SQLITE_OK {
            let error = unsafe error(code, of: found)
            unsafe sqlite3_close_v2(found)
            throw error
        }
        return unsafe found
    }

    deinit {
        unsafe statements.values.forEach { unsafe _ = sqlite3_finalize($0) }
        unsafe sqlite3_close_v2(handle)
    }

    /// Runs one statement to its end and returns its rows.
    @discardableResult
    func run(_ sql: String, _ parameters: [Cell] = []) throws(DatabaseError) -> [[Cell]] {
        let statement = unsafe try prepared(sql)
        defer {
            unsafe sqlite3_reset(statement)
            unsafe sqlite3_clear_bindings(statement)
        }
        for (index, cell) in parameters.enumerated() { unsafe try bind(cell, at: Int32(index + 1), of: statement) }
        var rows: [[Cell]] = []
        while true {
            let code = unsafe sqlite3_step(statement)
            if code == SQLITE_DONE { return rows }
            guard code == SQLITE_ROW else { throw error(code) }
            unsafe rows.append((0..<sqlite3_column_count(statement)).map { unsafe Self.cell($0, of: statement) })
        }
    }

    /// All of it or nothing of it.
    func transaction(_ work: () throws(DatabaseError) -> Void) throws(DatabaseError) {
        try run("BEGIN IMMEDIATE")
        do {
            try work()
            try run("COMMIT")
        } catch {
            // SQLite may have rolled back by itself, as after a full disk.
            if unsafe sqlite3_get_autocommit(handle) == 0 { _ = try? run("ROLLBACK") }
            throw error
        }
    }

    private func prepared(_ sql: String) throws(DatabaseError) -> OpaquePointer {
        if let statement = unsafe statements[sql] { return unsafe statement }
        var made: OpaquePointer?
        let code = unsafe sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &made, nil)
        guard code == SQLITE_OK, let statement = unsafe made else { throw error(code) }
        unsafe statements[sql] = statement
        return unsafe statement
    }

    private func bind(_ cell: Cell, at index: Int32, of statement: OpaquePointer) throws(DatabaseError) {
        let code: Int32
        switch cell {
        case .null: code = unsafe sqlite3_bind_null(statement, index)
        case .int(let number): code = unsafe sqlite3_bind_int64(statement, index, number)
        case .text(let text):
            // SQLITE_TRANSIENT: SQLite copies the text before it returns.
            let copies = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            code = unsafe sqlite3_bind_text(statement, index, text, Int32(clamping: text.utf8.count), copies)
        }
        guard code == SQLITE_OK else { throw error(code) }
    }

    private static func cell(_ column: Int32, of statement: OpaquePointer) -> Cell {
        switch unsafe sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: return unsafe .int(sqlite3_column_int64(statement, column))
        case SQLITE_TEXT:
            guard let text = unsafe sqlite3_column_text(statement, column) else { return .null }
            return unsafe .text(String(cString: text))
        default: return .null
        }
    }

    private func error(_ code: Int32) -> DatabaseError { unsafe Self.error(code, of: handle) }

    private static func error(_ code: Int32, of handle: OpaquePointer) -> DatabaseError {
        let message = unsafe sqlite3_errmsg(handle).map { unsafe String(cString: $0) } ?? "error \(code)"
        return DatabaseError(code: code & 0xff, message: message)
    }
}
