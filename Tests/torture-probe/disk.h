/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Serves a file system in memory at `folder` until it is unmounted or the process is told to end: what the process exits with. */
int disk_serve(const char *folder);
