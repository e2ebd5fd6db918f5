package memstore

// log is a list that only grows, in arrays that are never moved.
type log[T any] struct {
	chunks []*[logChunk]T
	n      int64
}

const logChunk = 128

func (l *log[T]) len() int64 { return l.n }

func (l *log[T]) at(i int64) *T { return &l.chunks[i/logChunk][i%logChunk] }

// grow adds a zero value and gives it.
func (l *log[T]) grow() *T {
	if l.n%logChunk == 0 {
		l.chunks = append(l.chunks, new([logChunk]T))
	}
	l.n++
	return l.at(l.n - 1)
}

func (l *log[T]) append(t T) { *l.grow() = t }

// heap keeps strings of bytes in few large arrays.
type heap struct{ chunks [][]byte }

const heapChunk = 1 << 15

// span is a place in a heap.
type span struct{ chunk, from, len uint32 }

func (h *heap) put(data []byte) span {
	if len(data) == 0 {
		return span{}
	}
	last := len(h.chunks) - 1
	if last < 0 || cap(h.chunks[last])-len(h.chunks[last]) < len(data) {
		h.chunks = append(h.chunks, make([]byte, 0, max(heapChunk, len(data))))
		last++
	}
	at := span{uint32(last), uint32(len(h.chunks[last])), uint32(len(data))}
	h.chunks[last] = append(h.chunks[last], data...)
	return at
}

func (h *heap) get(at span) []byte {
	if at.len == 0 {
		return nil
	}
	return h.chunks[at.chunk][at.from:][:at.len]
}
