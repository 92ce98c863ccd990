# cython: boundscheck=False, wraparound=False, initializedcheck=False, freethreading_compatible=True
"""Bindings to the C modules in core/engine/, for numpy arrays. Calculations run without the interpreter's lock."""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memcpy

from oktane._interrupt cimport goes_on, okt_interrupt

import numpy as np

from ._core import Characters

cdef extern from "kernels.h":
    ctypedef struct okt_kernels:
        const char *name
        double (*burn)(size_t rounds, float *result) nogil
    const okt_kernels *okt_find_kernels(const char *name)
    const char *const okt_kernel_names[]

cdef extern from "matrix.h":
    ctypedef enum okt_number:
        OKT_FLOAT32
        OKT_FLOAT16
        OKT_BFLOAT16
        OKT_INT8
    ctypedef struct okt_matrix:
        const void *data
        const float *scales
        okt_number type
        size_t rows, columns
    bint okt_matrix_is_finite(const okt_matrix *matrix) nogil

cdef extern from "network.h":
    ctypedef enum okt_cell:
        OKT_LSTM
        OKT_GRU
        OKT_RNN_TANH
        OKT_RNN_RELU
    ctypedef struct okt_torch_weights:
        const float *input
        const float *state
        const float *input_bias
        const float *state_bias
    ctypedef struct okt_shape:
        okt_cell cell
        size_t layers, directions, hidden, labels
        bint separate, max, mean, last, folded
        okt_matrix embedding
    ctypedef struct okt_network:
        pass
    okt_network *okt_network_new(const okt_shape *shape, const okt_kernels *kernels)
    void okt_network_free(okt_network *network)
    bint okt_network_set_layer(okt_network *network, size_t layer, size_t direction, const okt_torch_weights *weights)
    bint okt_network_set_head(okt_network *network, const float *weights, const float *bias)
    size_t okt_pooled_size(const okt_shape *shape)
    size_t okt_folded_bytes(const okt_shape *shape, const okt_kernels *kernels)
    bint okt_network_run(const okt_network *network, const int32_t *ids, const int64_t *row_splits, size_t rows,
                         okt_interrupt *interrupt, float *logits) except? False nogil

cdef extern from "ngrams.h":
    ctypedef struct okt_ngrams:
        okt_matrix weights
        const int32_t *hashes
        const float *bias
        size_t longest
        int64_t boundary
    bint okt_ngrams_run(const okt_ngrams *model, const int32_t *ids, const int64_t *row_splits, size_t rows,
                        float *logits) nogil

cdef extern from "Python.h":
    int PyUnicode_KIND(object text)
    void *PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)

cdef extern from "vocabulary.h":
    ctypedef struct okt_text:
        const void *data
        size_t length
        int width
    ctypedef struct okt_vocabulary:
        pass
    ctypedef struct okt_morphemes:
        const okt_text *texts
        const uint8_t *begins_word
        size_t text_count
        const okt_text *forms
        size_t form_count
        const int32_t *form_ids
        const int32_t *spans
        const int64_t *row_splits
    ctypedef struct okt_ids:
        int32_t *items
        size_t count, capacity
    okt_vocabulary *okt_vocabulary_new()
    void okt_vocabulary_free(okt_vocabulary *vocabulary)
    bint okt_vocabulary_add(okt_vocabulary *vocabulary, const okt_text *token, int32_t id)
    bint okt_vocabulary_find(const okt_vocabulary *vocabulary, const okt_text *token, int32_t *id)
    bint okt_vocabulary_add_merge(okt_vocabulary *vocabulary, int32_t left, int32_t right, int32_t merged)
    bint okt_vocabulary_complete(okt_vocabulary *vocabulary, bint pieces, int32_t unknown, const int32_t *bytes,
                                 const okt_text *mark)
    bint okt_encode(const okt_vocabulary *vocabulary, const okt_morphemes *morphemes, okt_interrupt *interrupt,
                    okt_ids *ids, int64_t *row_splits) except? False nogil

CELLS = {"lstm": OKT_LSTM, "gru": OKT_GRU, "rnn_tanh": OKT_RNN_TANH, "rnn_relu": OKT_RNN_RELU}
NUMBERS = {"F32": OKT_FLOAT32, "F16": OKT_FLOAT16, "BF16": OKT_BFLOAT16, "I8": OKT_INT8}
NUMBER_SIZES = {"F32": 4, "F16": 2, "BF16": 2, "I8": 1, "I32": 4}

# The most memory that the folded first layer may take; a larger vocabulary or network multiplies at every token instead.
MOST_TABLE_BYTES = 256 << 20


cdef const okt_kernels *kernels_of(str name) except NULL:
    found = okt_find_kernels(name.encode())
    if found == NULL:
        raise ValueError(f"this processor has no {name!r} kernels; it has {', '.join(kernel_names())}")
    return found


def kernel_names() -> list[str]:
    """Return the names of the kernels that this processor can run, the fastest first."""
    cdef size_t i = 0
    names = []
    while okt_kernel_names[i] != NULL:
        if okt_find_kernels(okt_kernel_names[i]) != NULL:
            names.append(okt_kernel_names[i].decode())
        i += 1
    return names


def burn(str kernels, size_t rounds) -> float:
    """Run multiply-adds in registers and return how many floating point operations they were."""
    cdef const okt_kernels *found = kernels_of(kernels)
    cdef float result
    cdef double operations
    with nogil:
        operations = found.burn(rounds, &result)
    return operations


cdef okt_matrix matrix_of(const uint8_t[:, ::1] stored, str number, const float[::1] scales):
    cdef okt_matrix matrix
    matrix.data = &stored[0, 0]
    matrix.scales = NULL
    if scales is not None:
        matrix.scales = &scales[0]
    matrix.type = NUMBERS[number]
    matrix.rows = stored.shape[0]
    matrix.columns = stored.shape[1] // NUMBER_SIZES[number]
    if (number == "I8") != (scales is not None and scales.shape[0] == stored.shape[0]):
        raise ValueError("an I8 matrix, and no other, has a scale for each row")
    return matrix


def is_finite(const uint8_t[:, ::1] stored not None, str number) -> bool:
    """Return whether all numbers of a stored matrix of floats are finite: (rows, bytes of a row), one of `NUMBERS`."""
    cdef okt_matrix matrix = matrix_of(stored, number, None)
    cdef bint finite
    with nogil:
        finite = okt_matrix_is_finite(&matrix)
    return finite


cdef check_rows(const int32_t[::1] ids, const int64_t[::1] row_splits, size_t tokens):
    """Raise ValueError unless all rows are in `ids` and all ids are below `tokens`."""
    cdef Py_ssize_t i
    cdef bint wrong = row_splits.shape[0] == 0 or row_splits[0] != 0
    if not wrong:
        wrong = row_splits[row_splits.shape[0] - 1] != ids.shape[0]
        for i in range(row_splits.shape[0] - 1):
            wrong |= row_splits[i + 1] < row_splits[i]
        for i in range(ids.shape[0]):
            wrong |= ids[i] < 0 or <size_t>ids[i] >= tokens
    if wrong:
        raise ValueError("token ids or row splits are out of range")


cdef class _Model:
    """A model that maps token ids to logits. Safe to share between threads."""

    cdef readonly size_t labels, tokens

    cdef bint write_logits(self, const int32_t *ids, const int64_t *row_splits, size_t rows, float *logits) except? False nogil:
        return True

    def run(self, const int32_t[::1] ids not None, const int64_t[::1] row_splits not None):
        """Return the logits of texts, float32 (texts, labels): text i has the tokens ids[row_splits[i]:row_splits[i + 1]]."""
        check_rows(ids, row_splits, self.tokens)
        cdef size_t rows = row_splits.shape[0] - 1
        result = np.empty((rows, self.labels), np.float32)
        cdef float[:, ::1] logits = result
        cdef int32_t none = 0
        cdef bint complete
        if rows:
            with nogil:
                complete = self.write_logits(&ids[0] if ids.shape[0] else &none, &row_splits[0], rows, &logits[0, 0])
            if not complete:
                raise MemoryError
        return result


cdef class Network(_Model):
    """A recurrent network that labels texts. Safe to share between threads.

    Args:
        kernels: One of `kernel_names`.
        cell: One of `CELLS`.
        hidden: Units of a direction.
        pooling: Which of "max", "mean" and "last" the vector of a text consists of.
        separate: Whether each direction is its own stack of layers.
        embedding: (tokens, bytes of an embedding), as stored. It is not copied.
        number: How the embedding's numbers are stored: one of `NUMBERS`.
        scales: (tokens,), for "I8": a number is its row's scale times what is stored. They are not copied.
        layers: For each layer, for each direction, `weight_ih`, `weight_hh`, `bias_ih` and `bias_hh` in torch's layout.
        head_weights: (labels, pooled size).
        head_bias: (labels,).
    """

    cdef okt_network *network
    cdef const uint8_t[:, ::1] embedding
    cdef const float[::1] scales
    cdef readonly str kernels
    cdef readonly bint folded
    cdef readonly size_t table_bytes

    def __cinit__(self, str kernels, str cell, size_t hidden, pooling, bint separate,
                  const uint8_t[:, ::1] embedding not None, str number, const float[::1] scales, list layers,
                  const float[:, ::1] head_weights not None, const float[::1] head_bias not None):
        cdef okt_shape shape
        cdef size_t layer, direction
        cdef const float[:, ::1] input_weights, state_weights
        cdef const float[::1] input_bias, state_bias
        cdef okt_torch_weights weights
        cdef bint complete = True
        shape.cell = CELLS[cell]
        shape.layers = len(layers)
        shape.directions = len(layers[0])
        shape.hidden = hidden
        shape.labels = head_bias.shape[0]
        shape.separate = separate
        shape.max, shape.mean, shape.last = "max" in pooling, "mean" in pooling, "last" in pooling
        shape.embedding = matrix_of(embedding, number, scales)
        self.embedding, self.scales = embedding, scales
        self.kernels = kernels
        self.labels = shape.labels
        self.tokens = shape.embedding.rows
        self.table_bytes = okt_folded_bytes(&shape, kernels_of(kernels))
        self.folded = shape.folded = self.table_bytes <= MOST_TABLE_BYTES
        self.network = okt_network_new(&shape, kernels_of(kernels))
        if self.network == NULL:
            raise MemoryError
        for layer in range(shape.layers):
            for direction in range(shape.directions):
                input_weights, state_weights, input_bias, state_bias = layers[layer][direction]
                weights = okt_torch_weights(&input_weights[0, 0], &state_weights[0, 0], &input_bias[0], &state_bias[0])
                complete &= okt_network_set_layer(self.network, layer, direction, &weights)
        complete &= okt_network_set_head(self.network, &head_weights[0, 0], &head_bias[0])
        if not complete:
            raise MemoryError

    def __dealloc__(self):
        okt_network_free(self.network)

    cdef bint write_logits(self, const int32_t *ids, const int64_t *row_splits, size_t rows, float *logits) except? False nogil:
        cdef okt_interrupt interrupt = okt_interrupt(goes_on, 0, False)
        return okt_network_run(self.network, ids, row_splits, rows, &interrupt, logits)


cdef class Ngrams(_Model):
    """A linear model over n-grams. Safe to share between threads.

    Args:
        weights: (buckets or known n-grams, bytes of the labels' weights), as stored. They are not copied.
        number: How the weights are stored: one of `NUMBERS`.
        bias: (labels,).
        max_ngram: Length of the longest n-grams.
        tokens: Size of the vocabulary.
        hashes: (known n-grams,): their hashes in ascending order; they are not copied. None for buckets.
    """

    cdef okt_ngrams model
    cdef const uint8_t[:, ::1] weights
    cdef const float[::1] bias
    cdef const int32_t[::1] hashes

    def __cinit__(self, const uint8_t[:, ::1] weights not None, str number, const float[::1] bias not None,
                  size_t max_ngram, size_t tokens, const int32_t[::1] hashes=None):
        self.weights, self.bias, self.hashes = weights, bias, hashes
        self.model.weights = matrix_of(weights, number, None)
        self.model.hashes = NULL
        if hashes is not None:
            if hashes.shape[0] != weights.shape[0]:
                raise ValueError("each known n-gram has one hash")
            self.model.hashes = &hashes[0]
        self.model.bias = &bias[0]
        self.model.longest = max_ngram
        self.model.boundary = tokens
        self.labels = bias.shape[0]
        self.tokens = tokens

    cdef bint write_logits(self, const int32_t *ids, const int64_t *row_splits, size_t rows, float *logits) except? False nogil:
        return okt_ngrams_run(&self.model, ids, row_splits, rows, logits)


# ---- text to ids ----


cdef okt_text text_of(str string):
    cdef okt_text text
    text.data = PyUnicode_DATA(string)
    text.length = PyUnicode_GET_LENGTH(string)
    text.width = PyUnicode_KIND(string)
    return text


cdef class _Texts:
    """Python strings, or `Characters`, as the C modules see them. Holds what it was given, so that it stays there."""

    cdef object strings
    cdef okt_text *items
    cdef size_t count

    def __cinit__(self, strings):
        cdef size_t i
        self.strings = strings
        self.count = len(strings)
        self.items = <okt_text *>PyMem_Malloc((self.count + 1) * sizeof(okt_text))
        if self.items == NULL:
            raise MemoryError
        if isinstance(strings, Characters):
            self.point_into(strings.chars, strings.starts)
            return
        for i in range(self.count):
            self.items[i] = text_of(strings[i])

    cdef point_into(self, const uint32_t[::1] chars, const int64_t[::1] starts):
        cdef size_t i
        for i in range(self.count):
            # A text without characters may stand at the end of the buffer.
            data = <const void *>(&chars[0] + starts[i]) if chars.shape[0] else NULL
            self.items[i] = okt_text(data, starts[i + 1] - starts[i], sizeof(uint32_t))

    def __dealloc__(self):
        PyMem_Free(self.items)


cdef class Vocabulary:
    """A vocabulary of words, or of subwords of morphemes. Safe to share between threads.

    Args:
        tokens: Ids by token.
        merges: Pairs of tokens in the order of their merges, for subwords; None for words.
        unknown: Id of the unknown token.
        byte_fallback: Whether an unknown character becomes the tokens of its UTF-8 bytes, <0x00> to <0xFF>.
        mark: Prefix of a morpheme that begins a word; may be empty.

    Raises:
        ValueError: If a merge has something that is not a token.
    """

    cdef okt_vocabulary *vocabulary

    def __cinit__(self, dict tokens not None, list merges, int32_t unknown, bint byte_fallback, str mark not None):
        cdef int32_t bytes[256]
        cdef okt_text text
        cdef str token
        self.vocabulary = okt_vocabulary_new()
        if self.vocabulary == NULL:
            raise MemoryError
        for token, number in tokens.items():
            text = text_of(token)
            if not okt_vocabulary_add(self.vocabulary, &text, number):
                raise MemoryError
        for left, right in merges or ():
            ids = [self.id_of(left), self.id_of(right), self.id_of(left + right)]
            if min(ids) < 0:
                raise ValueError(f"the merge of {left!r} and {right!r} names something that is no token")
            if not okt_vocabulary_add_merge(self.vocabulary, ids[0], ids[1], ids[2]):
                raise MemoryError
        for byte in range(256):
            bytes[byte] = self.id_of(f"<0x{byte:02X}>") if byte_fallback else -1
        text = text_of(mark)
        if not okt_vocabulary_complete(self.vocabulary, merges is not None, unknown, bytes, &text):
            raise MemoryError

    cdef int32_t id_of(self, str token) except -2:
        """Return the id of a token; -1 if there is none."""
        cdef okt_text text = text_of(token)
        cdef int32_t id
        if not okt_vocabulary_find(self.vocabulary, &text, &id):
            raise MemoryError
        return id

    def __dealloc__(self):
        okt_vocabulary_free(self.vocabulary)

    def encode(self, texts not None, const uint8_t[::1] begins_word not None, list forms not None,
               const int32_t[::1] form_ids not None, const int32_t[::1] spans not None,
               const int64_t[::1] row_splits not None):
        """Return the token ids of texts that were split into morphemes.

        Args:
            texts: The texts, as a list or as `Characters`.
            begins_word: (texts,): 1 where the first morpheme of a text always begins a word.
            forms: What `Okt.encode_batch` returned for the texts, here and below.
            form_ids: (morphemes,).
            spans: (2 * morphemes,).
            row_splits: (texts + 1,).

        Returns:
            The ids, int32 (tokens,), and their row splits, int64 (texts + 1,).
        """
        cdef _Texts given = _Texts(texts), distinct = _Texts(forms)
        cdef okt_morphemes morphemes
        cdef okt_ids found
        cdef okt_interrupt interrupt = okt_interrupt(goes_on, 0, False)
        cdef int32_t no_id = 0
        cdef uint8_t no_flag = 0
        cdef bint complete
        splits = np.empty(len(texts) + 1, np.int64)
        cdef int64_t[::1] token_splits = splits
        found.items, found.count, found.capacity = NULL, 0, 0
        morphemes.texts, morphemes.text_count = given.items, given.count
        morphemes.begins_word = &begins_word[0] if begins_word.shape[0] else &no_flag
        morphemes.forms, morphemes.form_count = distinct.items, distinct.count
        morphemes.form_ids = &form_ids[0] if form_ids.shape[0] else &no_id
        morphemes.spans = &spans[0] if spans.shape[0] else &no_id
        morphemes.row_splits = &row_splits[0]
        cdef int32_t[::1] copied
        try:
            with nogil:
                complete = okt_encode(self.vocabulary, &morphemes, &interrupt, &found, &token_splits[0])
            if not complete:
                raise MemoryError
            ids = np.empty(found.count, np.int32)
            copied = ids
            if found.count:
                memcpy(&copied[0], found.items, found.count * sizeof(int32_t))
        finally:
            free(found.items)
        return ids, splits
