/* Preloaded into a simulation: what the process would draw from the system comes from the seed instead. The standard
   library's hash maps, tokio's and openraft's random numbers all begin here. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

static uint64_t drawn;

static uint64_t next(void) {
    const char *seed = getenv("RENKEI_SIM_ENTROPY");
    uint64_t turn = __atomic_add_fetch(&drawn, 1, __ATOMIC_RELAXED);
    uint64_t z = (seed ? strtoull(seed, NULL, 10) : 0) * 0x9e3779b97f4a7c15ULL + turn * 0xd1342543de82ef95ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static void fill(void *buffer, size_t length) {
    unsigned char *to = buffer;
    while (length > 0) {
        uint64_t word = next();
        size_t part = length < sizeof word ? length : sizeof word;
        memcpy(to, &word, part);
        to += part;
        length -= part;
    }
}

ssize_t getrandom(void *buffer, size_t length, unsigned int flags) {
    (void)flags;
    fill(buffer, length);
    return (ssize_t)length;
}

int getentropy(void *buffer, size_t length) {
    fill(buffer, length);
    return 0;
}
