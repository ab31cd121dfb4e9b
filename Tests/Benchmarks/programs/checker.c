/* SPDX-License-Identifier: Apache-2.0 */
/* checker WRITERS LINES FILE...
 * Looks for every line of `writer` in the files, whole and once, and prints "lost=L doubled=D torn=T bytes=B". Lines may have something
 * before them, as a time. Files named "A+B+C" are read as one, in that order, for loggers that rotate inside lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE 100
#define LONGEST (1 << 20)

static long writers, lines, found, doubled, torn, bytes;
static unsigned char *seen;
static char line[LONGEST];
static size_t length;

static int is_alphabet(const char *text) {
    for (int i = 18; i < LINE - 2; i++) {
        char next = text[i] == 'z' ? 'a' : (char)(text[i] + 1);
        if (text[i] < 'a' || text[i] > 'z' || text[i + 1] != next) return 0;
    }
    return 1;
}

static void judge(void) {
    const char *text = length >= LINE ? line + length - LINE : 0;
    if (!text || text[0] != 'W' || text[5] != ' ' || text[6] != 'N' || text[17] != ' ' || !is_alphabet(text)) {
        torn++;
        return;
    }
    long id = strtol(text + 1, 0, 10), number = strtol(text + 7, 0, 10);
    if (id < 0 || id >= writers || number < 0 || number >= lines) torn++;
    else if (seen[id * lines + number]) doubled++;
    else seen[id * lines + number] = 1, found++;
}

static void take(const char *block, size_t count) {
    while (count) {
        const char *newline = memchr(block, '\n', count);
        size_t part = newline ? (size_t)(newline - block) + 1 : count;
        if (length + part < LONGEST) {
            memcpy(line + length, block, part);
            length += part;
        }
        block += part;
        count -= part;
        if (!newline) return;
        judge();
        length = 0;
    }
}

int main(int count, char **arguments) {
    static char block[1 << 20];
    if (count < 4) return 2;
    writers = atol(arguments[1]);
    lines = atol(arguments[2]);
    seen = calloc((size_t)(writers * lines), 1);
    if (!seen) return 1;
    for (int i = 3; i < count; i++) {
        char *rest = 0;
        for (char *path = strtok_r(arguments[i], "+", &rest); path; path = strtok_r(0, "+", &rest)) {
            FILE *file = fopen(path, "r");
            size_t some;
            if (!file) return 1;
            while ((some = fread(block, 1, sizeof block, file)) > 0) {
                bytes += (long)some;
                take(block, some);
            }
            fclose(file);
        }
        if (length) torn++;
        length = 0;
    }
    printf("lost=%ld doubled=%ld torn=%ld bytes=%ld\n", writers * lines - found, doubled, torn, bytes);
    return 0;
}
