// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import OrchModel
import Testing

@Suite struct SocketTests {
    @Test func addressesAreRead() throws {
        let fixture = Fixture(
            """
            environment: { WEB_PORT: '8000' }
            services:
              web:
                command: ./web
                replicas: 2
                ready: { fd: 8 }
                sockets:
                  - tcp://127.0.0.1:${WEB_PORT}
                  - { name: any, listen: "tcp://[::]:8001" }
                  - { name: own, listen: tcp://localhost:8002 }
                  - { name: file, listen: ./run/web.sock, mode: "0660" }
                  - { name: nameless, listen: "@shop/web" }
            """)
        let sockets = try #require(try fixture.stack()["web"]).sockets
        var file = SocketSpec(name: "file", listen: .file("/srv/shop/run/web.sock"))
        file.mode = 0o660
        #expect(
            sockets == [
                SocketSpec(listen: .tcp(host: "127.0.0.1", port: 8000)),
                SocketSpec(name: "any", listen: .tcp(host: "::", port: 8001)),
                SocketSpec(name: "own", listen: .tcp(host: "127.0.0.1", port: 8002)), file,
                SocketSpec(name: "nameless", listen: .abstract("shop/web")),
            ])
        #expect(fixture.complaints() == [])
        for socket in sockets { #expect(try SocketSpec(socket.value) == socket) }
    }

    @Test func whatIsNoAddressIsSaidWhereItIs() {
        let bad = [
            ("8080", "write tcp://127.0.0.1:8080, or tcp://0.0.0.0:8080 for all addresses"),
            ("127.0.0.1:80", "write tcp://127.0.0.1:8080, a path such as ./web.sock, or \"@name\""),
            ("tcp://*:80", "for all addresses write tcp://0.0.0.0:80, with IPv6 tcp://[::]:80"),
            ("tcp://::1:80", "an IPv6 address stands in brackets: tcp://[::1]:80"),
            ("tcp://db:80", "a numeric address or localhost: names are not asked for"),
            ("tcp://[::1::2]:80", "a numeric address or localhost: names are not asked for"),
            ("tcp://[1:2:3]:80", "a numeric address or localhost: names are not asked for"),
            ("tcp://256.0.0.1:80", "a numeric address or localhost: names are not asked for"),
            ("tcp://127.0.0.1:0", "an address and a port from 1 to 65535, such as tcp://127.0.0.1:8080"),
            ("unix:/run/x", "write the path alone, such as /run/web.sock"),
            ("./run/", "write tcp://127.0.0.1:8080, a path such as ./web.sock, or \"@name\""),
            ("@", "write tcp://127.0.0.1:8080, a path such as ./web.sock, or \"@name\""),
        ]
        for (text, help) in bad {
            let fixture = Fixture("services:\n  a:\n    command: a\n    sockets: [{ listen: \"\(text)\" }]\n")
            guard case .failure(let errors) = fixture.load() else {
                Issue.record("\(text) is taken for an address")
                continue
            }
            let told = errors.diagnostics
            #expect(told.map(\.message) == ["\"listen\": \"\(text)\" is no address to listen at"], "\(text)")
            #expect(told.map(\.help) == [help])
            #expect(told.first?.position?.line == 4 && told.first?.position?.column == 25)
        }
    }

    @Test func whatClashesIsSaidWhereItIs() {
        let long = String(repeating: "x", count: 120)
        let fixture = Fixture(
            """
            services:
              a: { command: a, sockets: [tcp://0.0.0.0:80, tcp://127.0.0.1:80] }
              b: { command: b, sockets: [{ name: x, listen: ./b }], ready: { fd: 3 } }
              c: { command: c, ports: [80, 81/udp], sockets: [{ name: "a:b", listen: "@c", mode: "0600" }] }
              d: { command: d, sockets: [{ listen: ./b, mode: 660 }, { name: y }, 3: 4] }
              e: { command: e, sockets: [/tmp/\(long)] }
              f: { command: f, locks: [/1, /2, /3, /4, /5], sockets: [{ name: '1', listen: /a1 }, { name: '2', listen: /a2 }, { name: '3', listen: /a3 }, { name: '4', listen: /a4 }, { name: '5', listen: /a5 }, { name: '6', listen: /a6 }, { name: '7', listen: /a7 }, { name: '8', listen: /a8 }] }
              g: { command: g, enabled: false, sockets: [./b] }
              h: { command: h, sockets: [/9, /9] }
            """)
        let told = fixture.complaints()
        #expect(
            told == [
                "2:48 error[duplicate-name] two sockets are named \"socket\"",
                "2:48 error[socket-conflict] tcp://127.0.0.1:80 is given twice",
                "3:57 error[conflict] \"ready.fd\": descriptor 3 is that of a socket",
                "4:28 error[port-conflict] the port 80 is that of a socket of \"a\"",
                "4:59 error[name] \"a:b\" can't name a socket",
                "4:80 error[misplaced] \"mode\" is for a unix socket's file, and @c has none",
                "5:30 error[socket-conflict] \"d\" and \"b\" both have a socket at /srv/shop/b",
                "5:51 error[value] \"mode\": \"660\" is not an octal number from 0000 to 0777",
                "5:58 error[missing] a socket needs an address",
                "5:71 error[unknown-key] \"3\" is not a key of a socket",
                "5:71 error[missing] a socket needs an address",
                "6:30 error[value] \"sockets\": /tmp/\(long) has 125 bytes, and a unix socket's path at most 107",
                "7:58 error[limit] \"sockets\", the paths under \"locks\" and \"ready.fd\" are 13 descriptors, and a process is born with at most 12",
                "9:34 error[duplicate-name] two sockets are named \"socket\"",
                "9:34 error[socket-conflict] /9 is given twice",
            ], "\(told.joined(separator: "\n"))")
    }
}
