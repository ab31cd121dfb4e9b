// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchEdge

exit(EdgeProgram.run())
