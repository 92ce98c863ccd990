/* Long work asks now and then whether to go on. */
#ifndef OKT_INTERRUPT_H
#define OKT_INTERRUPT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    int (*goes_on)(void); /* 0: the work is to end. NULL: it always goes on */
    size_t steps;         /* since the last question */
    bool ended;           /* the answer was 0 */
} okt_interrupt;

/* Steps between two questions. A step is what takes a microsecond or two, as a character does. */
enum { OKT_STEPS = 1 << 16 };

/* Notes that some steps have been made, and tells whether to go on. */
static inline bool okt_goes_on(okt_interrupt *interrupt, size_t steps) {
    interrupt->steps += steps;
    if (interrupt->steps >= OKT_STEPS) {
        interrupt->steps = 0;
        interrupt->ended = interrupt->goes_on && !interrupt->goes_on();
    }
    return !interrupt->ended;
}

#endif
