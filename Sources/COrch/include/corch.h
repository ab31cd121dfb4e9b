/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORCH_H
#define CORCH_H
#endif
