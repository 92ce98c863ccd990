"""What the C modules ask in long work: whether to go on."""

cdef extern from "Python.h":
    int PyErr_CheckSignals() except -1

cdef extern from "interrupt.h":
    ctypedef struct okt_interrupt:
        int (*goes_on)() except? 0
        size_t steps
        bint ended


cdef inline int goes_on() except? 0 with gil:
    """Handle signals, of which Ctrl-C raises an error, and raise one in a thread that nobody waits for any more."""
    from oktane.parallel import check_awaited

    PyErr_CheckSignals()
    check_awaited()
    return 1
