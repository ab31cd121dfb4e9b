/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is called here: what shim.c defines stands before the C library's. */
