
/*
 * Replays kept inputs through a fuzz target as an ordinary test: every file
 * of the directories named on the command line, and each of its prefixes for
 * small files, so that input which ends early is seen as well.
 */


#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define REPLAY_PREFIXES  256


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_directory(const char *name);
static int replay_file(const char *name);
static void replay_input(const uint8_t *data, size_t size);


int
main(int argc, char **argv)
{
    int  i, n, files;

    files = 0;

    for (i = 1; i < argc; i++) {
        n = replay_directory(argv[i]);
        if (n <= 0) {
            fprintf(stderr, "%s: nothing to replay\n", argv[i]);
            return 1;
        }

        files += n;
    }

    printf("  replay of %s: %d inputs\n", argv[argc - 1], files);
    return files == 0;
}


static int
replay_directory(const char *name)
{
    int             files;
    DIR            *dir;
    char            path[4096];
    struct dirent  *entry;

    dir = opendir(name);
    if (dir == NULL) {
        return -1;
    }

    files = 0;

    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }

        snprintf(path, sizeof(path), "%s/%s", name, entry->d_name);
        if (replay_file(path) == -1) {
            closedir(dir);
            return -1;
        }

        files++;
    }

    closedir(dir);
    return files;
}


static int
replay_file(const char *name)
{
    long      size;
    FILE     *file;
    size_t    i;
    uint8_t  *data;

    file = fopen(name, "rb");
    if (file == NULL) {
        perror(name);
        return -1;
    }

    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);

    data = malloc(size + 1);
    if (data == NULL || fread(data, 1, size, file) != (size_t) size) {
        perror(name);
        free(data);
        fclose(file);
        return -1;
    }

    fclose(file);

    for (i = 0; i < (size_t) size && i < REPLAY_PREFIXES; i++) {
        replay_input(data, i);
    }

    replay_input(data, size);

    free(data);
    return 0;
}


/* The copy has no byte to spare: reading past the end is seen. */

static void
replay_input(const uint8_t *data, size_t size)
{
    uint8_t  *copy;

    copy = malloc(size);
    if (copy == NULL) {
        LLVMFuzzerTestOneInput((const uint8_t *) "", 0);
        return;
    }

    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}
