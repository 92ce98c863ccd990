/* Asking for memory before it is needed. */
#ifndef OKT_PREFETCH_H
#define OKT_PREFETCH_H

#if defined(_MSC_VER) && !defined(__clang__)
#define OKT_PREFETCH(address) ((void)(address))
#else
#define OKT_PREFETCH(address) __builtin_prefetch(address)
#endif

#endif
