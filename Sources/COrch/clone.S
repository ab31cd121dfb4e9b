/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clone3 and clone with a child that starts in a function on a stack of its own. The C compiler does not know
 * a call that returns twice, and glibc's clone() takes neither CLONE_INTO_CGROUP nor CLONE_CLEAR_SIGHAND.
 *
 *   long corch_raw_clone3(struct clone_args *arguments, size_t size, int (*body)(void *), void *argument);
 *   long corch_raw_clone(unsigned long flags, void *stack_top, int *pidfd, int (*body)(void *), void *argument);
 *
 * In the child `body` runs and its result is the exit code. In the parent: pid or -errno.
 */
#if defined(__x86_64__)
    .text
    .globl corch_raw_clone3
    .type corch_raw_clone3, @function
corch_raw_clone3:
    endbr64
    mov %rdx, %r8
    mov %rcx, %r9
    mov $435, %eax
    syscall
    test %rax, %rax
    jz 1f
    ret
1:  xor %ebp, %ebp
    mov %r9, %rdi
    call *%r8
    mov %eax, %edi
    mov $60, %eax
    syscall
    hlt
    .size corch_raw_clone3, .-corch_raw_clone3

    .globl corch_raw_clone
    .type corch_raw_clone, @function
corch_raw_clone:
    endbr64
    mov %rcx, %r9           /* body; r10 and r8 would be the child's tid and TLS, which no flag asks for */
    xor %r10d, %r10d
    mov $56, %eax
    syscall
    test %rax, %rax
    jz 1f
    ret
1:  xor %ebp, %ebp
    mov %r8, %rdi
    call *%r9
    mov %eax, %edi
    mov $60, %eax
    syscall
    hlt
    .size corch_raw_clone, .-corch_raw_clone
#elif defined(__aarch64__)
    .text
    .globl corch_raw_clone3
    .type corch_raw_clone3, %function
corch_raw_clone3:
    mov x8, #435
    svc #0
    cbz x0, 1f
    ret
1:  mov x29, #0
    mov x30, #0
    mov x0, x3
    blr x2
    mov x8, #93
    svc #0
    brk #0
    .size corch_raw_clone3, .-corch_raw_clone3

    .globl corch_raw_clone
    .type corch_raw_clone, %function
corch_raw_clone:
    mov x8, #220            /* x3 and x4 would be TLS and the child's tid, which no flag asks for */
    svc #0
    cbz x0, 1f
    ret
1:  mov x29, #0
    mov x30, #0
    mov x0, x4
    blr x3
    mov x8, #93
    svc #0
    brk #0
    .size corch_raw_clone, .-corch_raw_clone
#endif
    .section .note.GNU-stack, "", %progbits
