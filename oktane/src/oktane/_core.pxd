"""The C modules in core/, as _core.pyx calls them."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

cdef extern from "Python.h":
    object PyUnicode_FromKindAndData(int kind, const void *data, Py_ssize_t length)
    int PyUnicode_KIND(object text)
    void *PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)

cdef extern from "okt.h":
    ctypedef uint32_t okt_char
    enum: OKT_NO_STEM
    ctypedef struct okt_token:
        uint32_t start
        uint32_t end
        uint32_t stem
        uint8_t pos
        bint unknown
    ctypedef struct okt_chars:
        okt_char *items
    ctypedef struct okt_tokens:
        okt_token *items
        size_t count

cdef extern from "utf8.h":
    size_t okt_decode_utf8(const uint8_t *bytes, size_t size, okt_char *to) nogil

cdef extern from "dictionary.h":
    enum: OKT_FORMAT
    enum: OKT_CHECKED_FROM
    enum: OKT_NO_NODE
    ctypedef struct okt_header:
        uint32_t checksum
        uint32_t value_count
        uint8_t digest[32]
    ctypedef struct okt_value:
        float frequency
        uint16_t lists
        uint16_t typo
        uint32_t stems[2]
    ctypedef struct okt_fixed_words:
        const okt_char *chars
        const uint32_t *starts
        const uint8_t *marks
        size_t count
    ctypedef struct okt_dictionary:
        const okt_header *header
        const okt_value *values
        okt_fixed_words fixed
    bint okt_dictionary_open(okt_dictionary *dictionary, const void *packed, size_t size)
    const okt_char *okt_stem(const okt_dictionary *dictionary, uint32_t stem, size_t *length)
    const okt_value *okt_value_of(const okt_dictionary *dictionary, uint32_t node)
    uint32_t okt_find(const okt_dictionary *dictionary, const okt_char *word, size_t length)
    int okt_letter(okt_char c)

cdef extern from "packer.h":
    ctypedef struct okt_strings:
        const okt_char *chars
        const uint32_t *starts
        size_t count
    ctypedef struct okt_entry:
        const okt_char *chars
        uint32_t length
        uint32_t removed
        okt_value value
    void *okt_pack(const okt_entry *entries, size_t count, const okt_strings *stems, const okt_strings *corrections,
                   size_t *size)
    void *okt_extend(const okt_dictionary *dictionary, const okt_entry *entries, size_t count,
                     const okt_strings *stems, size_t *size)

cdef extern from "batch.h":
    enum: OKT_BATCH_MAX_CHARS
    ctypedef struct okt_text:
        const void *data
        size_t length
        int width
    ctypedef enum okt_task:
        OKT_MORPHEMES
        OKT_TAGGED
        OKT_NOUNS
        OKT_PHRASES
        OKT_NORMALIZED
    ctypedef struct okt_starts:
        size_t *items
    ctypedef struct okt_form_pos:
        uint8_t *items
    ctypedef struct okt_form_ids:
        int32_t *items
    ctypedef struct okt_row_splits:
        int64_t *items
        size_t count
    ctypedef struct okt_forms:
        size_t count
        okt_chars chars
        okt_starts starts
        okt_form_pos pos
    ctypedef struct okt_batch:
        okt_forms forms
        okt_tokens tokens
        okt_form_ids form_ids
        okt_row_splits row_splits
    okt_batch *okt_batch_new(int (*goes_on)() except? 0)
    void okt_batch_free(okt_batch *batch)
    bint okt_batch_run(okt_batch *batch, const okt_dictionary *dictionary, const okt_text *texts, size_t count,
                       okt_task task, bint norm, bint stem) except? False nogil
    bint okt_batch_is_large(const okt_batch *batch)
