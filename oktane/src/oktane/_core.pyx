# cython: boundscheck=False, wraparound=False, initializedcheck=False, freethreading_compatible=True
"""The thin layer between Python objects and the C modules in core/.

Texts are read in place and results are built here; everything between runs without the interpreter's lock. Threads
share only dictionaries, which are never written to, and each dictionary's list of idle batches, of which a thread takes
one for itself.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.list cimport PyList_New, PyList_SET_ITEM
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.ref cimport Py_INCREF
from libc.stdlib cimport free
from libc.string cimport memcpy

from oktane._interrupt cimport PyErr_CheckSignals, goes_on

from zlib import crc32

# Strings that are made between two looks for Ctrl-C.
cdef enum:
    SIGNALS_EVERY = 1 << 20

FORMAT = OKT_FORMAT
TASKS = {"morphemes": OKT_MORPHEMES, "nouns": OKT_NOUNS, "phrases": OKT_PHRASES, "normalized": OKT_NORMALIZED}

# As KoreanPos.scala numbers them.
PARTS_OF_SPEECH = (
    "Noun", "Verb", "Adjective", "Adverb", "Determiner", "Exclamation", "Josa", "Eomi", "PreEomi", "Conjunction",
    "Modifier", "VerbPrefix", "Suffix", "Unknown", "Korean", "Foreign", "Number", "KoreanParticle", "Alpha",
    "Punctuation", "Hashtag", "ScreenName", "Email", "URL", "CashTag", "Space", "Others", "ProperNoun",
)  # fmt: skip


cdef object string_of(const okt_char *chars, size_t length):
    return PyUnicode_FromKindAndData(4, chars, length)


cdef class Characters:
    """Texts in UTF-8, decoded into one buffer, without a Python string for each. Their number is its length.

    Args:
        data: UTF-8.
        offsets: (texts + 1,), int64: text i is data[offsets[i]:offsets[i + 1]].

    Attributes:
        chars: Four bytes a character, text after text; there is room behind them.
        starts: (texts + 1,), int64: where each text begins among the characters.

    Raises:
        ValueError: If a text is not UTF-8, or the offsets are none.
    """

    cdef readonly object chars, starts

    def __init__(self, const uint8_t[::1] data not None, const int64_t[::1] offsets not None):
        cdef size_t i, count = offsets.shape[0] - 1, at = 0, found = 0
        cdef size_t size = offsets[count] - offsets[0]
        cdef bytes chars = PyBytes_FromStringAndSize(NULL, size * sizeof(okt_char))
        cdef bytes starts = PyBytes_FromStringAndSize(NULL, (count + 1) * sizeof(int64_t))
        cdef okt_char *to = <okt_char *>PyBytes_AS_STRING(chars)
        cdef int64_t *start = <int64_t *>PyBytes_AS_STRING(starts)
        cdef const uint8_t *bytes_ = &data[0] if data.shape[0] else NULL
        if offsets[0] < 0 or offsets[count] > data.shape[0]:
            raise ValueError("the offsets of texts are out of range")
        for i in range(count):
            if offsets[i + 1] < offsets[i]:
                raise ValueError("the offsets of texts are out of order")
        with nogil:
            for i in range(count):
                start[i] = at
                found = okt_decode_utf8(bytes_ + offsets[i], offsets[i + 1] - offsets[i], to + at)
                if found == <size_t>-1:
                    break
                at += found
            start[count] = at
        if count and found == <size_t>-1:
            raise ValueError(f"text {i} of the batch is not UTF-8")
        self.chars, self.starts = memoryview(chars).cast("I"), memoryview(starts).cast("q")

    def __len__(self):
        return len(self.starts) - 1


cdef class _Texts:
    """Python strings, or `Characters`, as the C modules see them. Holds what it was given, so that it stays there."""

    cdef object strings
    cdef okt_text *items
    cdef size_t count

    def __cinit__(self, texts):
        cdef size_t i, length = 0
        self.strings = texts if isinstance(texts, Characters) else list(texts)
        self.count = len(self.strings)
        self.items = <okt_text *>PyMem_Malloc((self.count + 1) * sizeof(okt_text))
        if self.items == NULL:
            raise MemoryError
        if isinstance(texts, Characters):
            self.point_into(texts.chars, texts.starts)
        for i in range(self.count):
            if not isinstance(texts, Characters):
                self.point_to(i, self.strings[i])
            length += self.items[i].length
        if length > OKT_BATCH_MAX_CHARS:
            what, most = "a text" if self.count == 1 else "a batch", OKT_BATCH_MAX_CHARS
            raise ValueError(f"{what} of {length:,} characters is too long: split it into parts of up to {most:,}")

    cdef point_to(self, size_t i, text):
        if not isinstance(text, str):
            which = "the text" if self.count == 1 else f"text {i} of the batch"
            raise TypeError(f"{which} must be a str, not {type(text).__name__}: {text!r:.60}")
        self.items[i] = okt_text(PyUnicode_DATA(text), PyUnicode_GET_LENGTH(text), PyUnicode_KIND(text))

    cdef point_into(self, const uint32_t[::1] chars, const int64_t[::1] starts):
        cdef size_t i
        for i in range(self.count):
            # A text without characters may stand at the end of the buffer.
            data = <const void *>(&chars[0] + starts[i]) if chars.shape[0] else NULL
            self.items[i] = okt_text(data, starts[i + 1] - starts[i], sizeof(okt_char))

    def __dealloc__(self):
        PyMem_Free(self.items)


cdef class _Batch:
    """The result of one call, and the buffers that made it."""

    cdef okt_batch *batch

    def __cinit__(self):
        self.batch = okt_batch_new(goes_on)
        if self.batch == NULL:
            raise MemoryError

    def __dealloc__(self):
        okt_batch_free(self.batch)

    cdef list forms(self):
        """Return the distinct forms as strings."""
        cdef const okt_char *chars = self.batch.forms.chars.items
        cdef const size_t *starts = self.batch.forms.starts.items
        cdef size_t i, count = self.batch.forms.count
        cdef list forms = PyList_New(count)
        for i in range(count):
            if i % SIGNALS_EVERY == 0:
                PyErr_CheckSignals()
            form = string_of(chars + starts[i], starts[i + 1] - starts[i])
            Py_INCREF(form)
            PyList_SET_ITEM(forms, i, form)
        return forms

    cdef list rows(self, list forms):
        """Return a list for each text: what `forms` has for each of its tokens."""
        cdef const int64_t *splits = self.batch.row_splits.items
        cdef const int32_t *form_ids = self.batch.form_ids.items
        cdef size_t i, count = self.batch.row_splits.count - 1
        cdef int64_t at
        cdef list row, rows = PyList_New(count)
        for i in range(count):
            row = PyList_New(splits[i + 1] - splits[i])
            for at in range(splits[i], splits[i + 1]):
                if at % SIGNALS_EVERY == 0:
                    PyErr_CheckSignals()
                form = forms[form_ids[at]]
                Py_INCREF(form)
                PyList_SET_ITEM(row, at - splits[i], form)
            Py_INCREF(row)
            PyList_SET_ITEM(rows, i, row)
        return rows


cdef class Dictionary:
    """A packed dictionary, and the analyses that it makes possible. Safe to share between threads.

    Args:
        packed: What `pack` returned, as bytes or a memory map, which this object keeps.

    Raises:
        ValueError: If it is damaged or of another format.
    """

    cdef okt_dictionary dictionary
    cdef const uint8_t[::1] packed
    cdef _Strings fixed_words
    cdef bytes fixed_marks
    cdef list idle  # batches that no call uses now
    cdef readonly bytes digest

    def __cinit__(self, const uint8_t[::1] packed not None):
        if packed.shape[0] == 0 or not okt_dictionary_open(&self.dictionary, &packed[0], packed.shape[0]):
            raise ValueError("not a packed dictionary of this version of oktane")
        self.packed = packed
        self.digest = PyBytes_FromStringAndSize(<const char *>self.dictionary.header.digest, 32)
        self.idle = []

    def __init__(self, packed):
        if crc32(self.packed[OKT_CHECKED_FROM:]) != self.dictionary.header.checksum:
            raise ValueError("a damaged packed dictionary: its checksum is wrong")

    cdef _Batch run(self, texts, okt_task task, bint norm, bint stem):
        """Analyze texts into a batch that `put_back` takes back."""
        cdef _Texts given = _Texts(texts)
        cdef _Batch batch
        cdef bint done
        # Popping and appending are atomic, with the interpreter's lock and without it; asking first would not be.
        try:
            batch = self.idle.pop()
        except IndexError:
            batch = _Batch()
        with nogil:
            done = okt_batch_run(batch.batch, &self.dictionary, given.items, given.count, task, norm, stem)
        if not done:
            raise MemoryError(f"not enough memory to analyze {given.count:,} texts in one batch")
        return batch

    cdef void put_back(self, _Batch batch):
        """Keep a batch for the next call, unless a huge text has made it huge."""
        if not okt_batch_is_large(batch.batch) and len(self.idle) < 64:
            self.idle.append(batch)

    def strings(self, texts, str task, bint norm, bint stem):
        """Return a list of strings for each text: its "morphemes", "nouns" or "phrases", or its "normalized" form."""
        cdef _Batch batch = self.run(texts, TASKS[task], norm, stem)
        rows = batch.rows(batch.forms())
        self.put_back(batch)
        return rows

    def pairs(self, texts, bint norm, bint stem, bint join):
        """Return a list for each text: its morphemes with their parts of speech, as pairs or joined by a slash."""
        cdef _Batch batch = self.run(texts, OKT_TAGGED, norm, stem)
        cdef list pairs = batch.forms()
        cdef size_t i
        for i in range(batch.batch.forms.count):
            form, pos = pairs[i], PARTS_OF_SPEECH[batch.batch.forms.pos.items[i]]
            pairs[i] = f"{form}/{pos}" if join else (form, pos)
        rows = batch.rows(pairs)
        self.put_back(batch)
        return rows

    def tokens(self, texts, bint norm, bint stem, make):
        """Return a list for each text: make(form, pos, start, end, stem, unknown) of each morpheme.

        The stem is None if `stem` is false or the morpheme is no verb or adjective.
        """
        cdef _Batch batch = self.run(texts, OKT_MORPHEMES, norm, False)
        cdef list forms = batch.forms(), rows = [], row
        cdef const int64_t *splits = batch.batch.row_splits.items
        cdef size_t i
        cdef int64_t at
        cdef okt_token token
        for i in range(batch.batch.row_splits.count - 1):
            row = []
            for at in range(splits[i], splits[i + 1]):
                token = batch.batch.tokens.items[at]
                form = forms[batch.batch.form_ids.items[at]]
                stem_form = self.stem_of(token.stem) if stem else None
                row.append(make(form, PARTS_OF_SPEECH[token.pos], token.start, token.end, stem_form, token.unknown))
            rows.append(row)
        self.put_back(batch)
        return rows

    cdef object stem_of(self, uint32_t stem):
        cdef size_t length
        cdef const okt_char *chars
        if stem == OKT_NO_STEM:
            return None
        chars = okt_stem(&self.dictionary, stem, &length)
        return string_of(chars, length)

    def morphemes(self, texts, bint norm, bint stem, uint32_t kept=0xFFFFFFFF, stopwords=frozenset()):
        """Return the morphemes of texts as arrays, without a Python object for each.

        Args:
            texts: The texts.
            norm: Whether to correct the spelling first.
            stem: Whether verbs and adjectives are given as their stems.
            kept: The parts of speech to keep, as a bit mask.
            stopwords: The forms to leave out.

        Returns:
            The distinct forms; for each morpheme the index of its form (int32) and its span (int32, two each); for each
            text where its morphemes begin (int64, one more than there are texts).
        """
        cdef _Batch batch = self.run(texts, OKT_MORPHEMES, norm, stem)
        cdef size_t row, count = batch.batch.tokens.count, rows = batch.batch.row_splits.count
        cdef const int64_t *splits = batch.batch.row_splits.items
        cdef const int32_t *numbers = batch.batch.form_ids.items
        cdef okt_token token
        forms = batch.forms()
        cdef bytes left_out = bytes([form in stopwords for form in forms]) if stopwords else bytes(len(forms))
        cdef const char *is_left_out = PyBytes_AS_STRING(left_out)
        form_ids = PyBytes_FromStringAndSize(NULL, count * sizeof(int32_t))
        row_splits = PyBytes_FromStringAndSize(NULL, rows * sizeof(int64_t))
        spans = PyBytes_FromStringAndSize(NULL, 2 * count * sizeof(int32_t))
        cdef int32_t *ids = <int32_t *>PyBytes_AS_STRING(form_ids)
        cdef int32_t *positions = <int32_t *>PyBytes_AS_STRING(spans)
        cdef int64_t *ends = <int64_t *>PyBytes_AS_STRING(row_splits)
        cdef int64_t at, end = 0
        ends[0] = 0
        for row in range(rows - 1):
            for at in range(splits[row], splits[row + 1]):
                token = batch.batch.tokens.items[at]
                if not kept >> token.pos & 1 or is_left_out[numbers[at]]:
                    continue
                ids[end] = numbers[at]
                positions[2 * end] = <int32_t>token.start
                positions[2 * end + 1] = <int32_t>token.end
                end += 1
            ends[row + 1] = end
        self.put_back(batch)
        return (
            forms,
            memoryview(form_ids).cast("i")[:end],
            memoryview(spans).cast("i")[: 2 * end],
            memoryview(row_splits).cast("q"),
        )

    def lookup(self, str word not None):
        """Return what is packed of a word: the bit mask of its lists, and its stems as a verb and as an adjective."""
        cdef _Strings strings = _Strings([word])
        cdef uint32_t node = okt_find(&self.dictionary, strings.view.chars, len(word))
        if node == OKT_NO_NODE:
            return 0, None, None
        cdef const okt_value *value = okt_value_of(&self.dictionary, node)
        return value.lists, self.stem_of(value.stems[0]), self.stem_of(value.stems[1])

    def predicates(self):
        """Return the stems that forms have as verbs, and as adjectives: two sets of dictionary forms."""
        cdef size_t i
        cdef set verbs = set(), adjectives = set()
        for i in range(self.dictionary.header.value_count):
            verbs.add(self.dictionary.values[i].stems[0])
            adjectives.add(self.dictionary.values[i].stems[1])
        return [{self.stem_of(stem) for stem in stems} - {None} for stems in (verbs, adjectives)]

    def extended(
        self, list words not None, list entries not None, list stems not None, bytes digest not None, list fixed=[]
    ):
        """Return a dictionary with changed words, made in a copy in memory. This one stays as it is.

        Args:
            words: Distinct words of Hangul syllables and compatibility jamo, in ascending order.
            entries: For each word (added, removed, verb_stem, adjective_stem): the bit masks of the lists to add it to,
                and of those to take it out of before, with its stem as a verb or an adjective; the indices in `stems`
                of its stems, or -1 to leave those that it has.
            stems: Dictionary forms of verbs and adjectives.
            digest: 32 bytes that name the new dictionary.
            fixed: Words that are split in a fixed way, as pairs of the word and the marks of its characters, in the
                order of core/dictionary.h. They replace those of this dictionary.

        Raises:
            ValueError: If a word, an entry or the digest is not as described above.
        """
        cdef _Strings more_stems = _Strings(stems)
        rows = [(0.0, added, 0, *of_predicate) for added, _, *of_predicate in entries]
        cdef _Entries items = _Entries(words, rows, len(stems), 0)
        cdef size_t i, size
        for i in range(items.count):
            items.items[i].removed = entries[i][1]
        cdef void *packed = okt_extend(&self.dictionary, items.items, items.count, &more_stems.view, &size)
        cdef Dictionary extended = Dictionary.__new__(Dictionary, _sealed(packed, size, digest))
        extended.fix(fixed)
        return extended

    cdef int fix(self, fixed) except -1:
        """Set the fixed words; see `extended`."""
        self.fixed_words = _Strings([word for word, _ in fixed])
        self.fixed_marks = b"".join([marks for _, marks in fixed])
        self.dictionary.fixed.chars = self.fixed_words.chars
        self.dictionary.fixed.starts = self.fixed_words.starts
        self.dictionary.fixed.marks = <const uint8_t *>PyBytes_AS_STRING(self.fixed_marks)
        self.dictionary.fixed.count = len(fixed)
        return 0


cdef class _Strings:
    """Strings one after the other, as the C modules see them."""

    cdef okt_strings view
    cdef okt_char *chars
    cdef uint32_t *starts

    def __cinit__(self, list strings):
        cdef size_t i, at = 0
        cdef Py_UCS4 c
        cdef str string
        self.chars = <okt_char *>PyMem_Malloc((sum(map(len, strings)) + 1) * sizeof(okt_char))
        self.starts = <uint32_t *>PyMem_Malloc((len(strings) + 1) * sizeof(uint32_t))
        if self.chars == NULL or self.starts == NULL:
            raise MemoryError
        for i, string in enumerate(strings):
            self.starts[i] = <uint32_t>at
            for c in string:
                self.chars[at] = c
                at += 1
        self.starts[len(strings)] = <uint32_t>at
        self.view = okt_strings(self.chars, self.starts, len(strings))

    def __dealloc__(self):
        PyMem_Free(self.chars)
        PyMem_Free(self.starts)


cdef class _Entries:
    """Words and what is packed of each, as the C modules see them."""

    cdef _Strings words
    cdef okt_entry *items
    cdef size_t count

    def __cinit__(self, list words, list rows, Py_ssize_t stem_count, Py_ssize_t correction_count):
        cdef size_t i
        if len(words) != len(rows):
            raise ValueError(f"{len(words)} words, but {len(rows)} entries")
        for before, word in zip(words, words[1:]):
            if before >= word:
                raise ValueError(f"words must be distinct and in ascending order, but {before!r} precedes {word!r}")
        self.count = len(words)
        self.words = _Strings(words)
        self.items = <okt_entry *>PyMem_Malloc((self.count + 1) * sizeof(okt_entry))
        if self.items == NULL:
            raise MemoryError
        for i in range(self.count):
            self.set(i, words[i], rows[i], stem_count, correction_count)

    cdef int set(self, size_t i, str word, row, Py_ssize_t stem_count, Py_ssize_t correction_count) except -1:
        cdef okt_entry *item = &self.items[i]
        cdef okt_value *value = &item.value
        cdef size_t at
        item.chars = self.words.chars + self.words.starts[i]
        item.length = self.words.starts[i + 1] - self.words.starts[i]
        item.removed = 0
        for at in range(item.length):
            if okt_letter(item.chars[at]) < 0:
                raise ValueError(f"words must be Hangul syllables and compatibility jamo, not {word!r}")
        if item.length == 0:
            raise ValueError(f"word {i} is empty")
        try:
            value.frequency, value.lists, value.typo, verb_stem, adjective_stem = row
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"the entry of {word!r} is malformed: {row!r} ({error})") from error
        if value.typo > correction_count or not -1 <= verb_stem < stem_count or not -1 <= adjective_stem < stem_count:
            raise ValueError(f"the entry of {word!r} points to a stem or correction that is not there: {row!r}")
        value.stems[0] = OKT_NO_STEM if verb_stem < 0 else verb_stem
        value.stems[1] = OKT_NO_STEM if adjective_stem < 0 else adjective_stem

    def __dealloc__(self):
        PyMem_Free(self.items)


cdef bytes _sealed(void *packed, size_t size, bytes digest):
    """Return a packed dictionary as bytes, its digest filled in. Frees `packed`."""
    cdef bytes result
    if packed == NULL:
        raise MemoryError
    try:
        if len(digest) != 32:
            raise ValueError(f"a digest has 32 bytes, not {len(digest)}")
        result = PyBytes_FromStringAndSize(<char *>packed, size)
    finally:
        free(packed)
    memcpy((<okt_header *>PyBytes_AS_STRING(result)).digest, PyBytes_AS_STRING(digest), 32)
    return result


def pack(
    list words not None,
    list entries not None,
    list stems not None,
    list corrections not None,
    bytes digest not None,
):
    """Pack word lists into one trie. Equal arguments give equal bytes.

    Args:
        words: Distinct words of Hangul syllables and compatibility jamo, in ascending order.
        entries: For each word (frequency, lists, typo, verb_stem, adjective_stem): its float32 frequency; the bit mask
            of the lists that hold it; the index of its correction + 1, or 0; the indices of its stems, or -1.
        stems: Dictionary forms of verbs and adjectives.
        corrections: What typos are corrected to.
        digest: 32 bytes that name the dictionary.

    Returns:
        The packed dictionary as bytes, its checksum filled in.

    Raises:
        ValueError: If a word, an entry or the digest is not as described above.
    """
    cdef _Strings stem_strings = _Strings(stems), correction_strings = _Strings(corrections)
    cdef _Entries items = _Entries(words, entries, len(stems), len(corrections))
    cdef size_t size
    cdef void *packed = okt_pack(items.items, items.count, &stem_strings.view, &correction_strings.view, &size)
    cdef bytes result = _sealed(packed, size, digest)
    (<okt_header *>PyBytes_AS_STRING(result)).checksum = crc32(memoryview(result)[OKT_CHECKED_FROM:])
    return result
